/** Loads the application, which is in Rust: `../src`. */

import * as application from '@aper-front-ends/leptos-todo';

import { openRustPage } from '../../shared/rust.js';

await openRustPage({ machine: 'kanban', title: 'To-do', application });
