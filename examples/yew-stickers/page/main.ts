/** Loads the application, which is in Rust: `../src`. */

import * as application from '@aper-front-ends/yew-stickers';

import { openRustPage } from '../../shared/rust.js';

await openRustPage({ machine: 'whiteboard', title: 'Stickers', application });
