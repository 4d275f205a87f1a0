/** A reproduction: the recording as a file, or as a test that has it in it. */

import { get, sessionPath } from './server.js';

/** Bytes up to which a test has the recording in it. */
const INLINE_BYTES = 4096;

/** The recording of a stretch, what its state comes to, and its file's name. */
export async function recorded(subject, from, to) {
  const response = await get(`${sessionPath(subject)}/recording?from=${from}&to=${to}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const hash = response.headers.get('aper-state-hash') ?? '';
  return { bytes, hash, name: `${subject.machine}-${subject.session}-${from}-${to}.recording` };
}

export function save({ bytes, name }) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

/** A test of the crate with the machine. `type` is the machine's name in Rust. */
export function asTest({ bytes, hash, name }, type) {
  const identifier = name.replace(/\.recording$/, '').replace(/[^A-Za-z0-9]+/g, '_').toLowerCase();
  const inline = bytes.length <= INLINE_BYTES;
  const recording = inline ? `&[${bytes.join(', ')}]` : `include_bytes!("${name}")`;
  return `#[test]
fn ${identifier}() {
    let recording: aper::sync::Recording = aper::protocol::decode(${recording}).unwrap();
    let (state, replayed) = recording.replay::<${type}>().unwrap();
    println!("{}", std::any::type_name_of_val(&state));
    assert_eq!(replayed.hash, aper::protocol::StateHash(0x${hash}));
}
`;
}
