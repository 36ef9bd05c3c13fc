// SPDX-License-Identifier: Apache-2.0

// A host that is not ours. It says on its first line where it listens, answers sign-in,
// sale, reversal and settlement, and ends when its standard input does.

import net from 'node:net';
import { account, frames, pack, unpack } from './wire.mjs';

const ECHOED = [2, 3, 4, 11, 25, 41, 42, 48, 49, 60, 63, 70];

let reference = 0;

function answer(request) {
  const reply = { 0: `${request[0].slice(0, 2)}10`, 12: '092653', 13: '0314', 32: '00085500', 39: '00' };
  for (const field of ECHOED) {
    if (request[field] !== undefined) reply[field] = request[field];
  }
  reference += 1;
  reply[37] = String(reference).padStart(12, '0');
  if (request[0] === '0200') reply[38] = '123456';
  if (request[0] === '0500') reply[48] = `${request[48].slice(0, 30)}1${request[48].slice(31)}`;
  return reply;
}

const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  frames(socket, (frame) => {
    const request = unpack(frame);
    account('received', frame, request);
    const reply = answer(request);
    const out = pack(reply);
    account('sent', out, reply);
    socket.write(out);
  });
  socket.on('error', (err) => process.stderr.write(`${err.message}\n`));
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ listening: server.address().port })}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
