#!/usr/bin/env node
// What a client sends goes to everybody, as it is: `ws` in the ordinary way,
// with its own defaults. What Node can do with its most used library.

import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const http = createServer();
const server = new WebSocketServer({ server: http });

server.on('connection', (socket) => {
  // One that breaks is found by the generator.
  socket.on('error', () => {});
  socket.on('message', (message, binary) => {
    for (const client of server.clients) {
      client.send(message, { binary });
    }
  });
});

http.listen(0, '127.0.0.1', () => {
  console.log(`ready 127.0.0.1:${http.address().port}`);
});
