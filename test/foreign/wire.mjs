// SPDX-License-Identifier: Apache-2.0

// What terminal and host of the foreign test share: frames with a length prefix of two
// bytes around messages of the npm package iso_8583, and an account of every frame on
// standard output, one JSON object a line.

import { createHash } from 'node:crypto';
import iso8583 from 'iso_8583';

/** pack makes a frame of a message; the library writes the length prefix. */
export function pack(fields) {
  const frame = new iso8583(fields).getBufferMessage();
  if (frame.error) throw new Error(`pack ${fields[0]}: ${frame.error}`);
  return frame;
}

/** unpack reads the message of a frame. */
export function unpack(frame) {
  const fields = new iso8583().getIsoJSON(frame);
  if (fields.error) throw new Error(`unpack: ${fields.error}`);
  return fields;
}

/** account tells of one frame that was sent or received. */
export function account(dir, frame, fields) {
  const sha256 = createHash('sha256').update(frame).digest('hex');
  process.stdout.write(`${JSON.stringify({ dir, sha256, bytes: frame.length, fields })}\n`);
}

/** frames calls back with each frame that arrives on a socket, however it was cut. */
export function frames(socket, callback) {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      const frame = pending.subarray(0, end);
      pending = pending.subarray(end);
      callback(frame);
    }
  });
}
