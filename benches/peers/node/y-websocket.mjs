#!/usr/bin/env node
// The server of y-websocket, as its own program sets it up: a Yjs document for
// each path, in memory, told to everybody who is there.

import { createServer } from 'node:http';
import { setupWSConnection } from '@y/websocket-server/utils';
import { WebSocketServer } from 'ws';

const http = createServer();
const server = new WebSocketServer({ server: http });
server.on('connection', setupWSConnection);

http.listen(0, '127.0.0.1', () => {
  console.log(`ready 127.0.0.1:${http.address().port}`);
});
