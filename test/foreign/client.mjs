// SPDX-License-Identifier: Apache-2.0

// A terminal that is not ours: sign-in, sale, reversal and settlement over one
// connection to the address given as argument, host:port. It ends with status 0 when
// each was answered with the right message type.

import net from 'node:net';
import { account, frames, pack, unpack } from './wire.mjs';

const TID = 'T0000001';
const MID = '898000000000001';
const PAN = '6200000000000005'; // a public test number
const TIMEOUT_MS = 20_000;

const base = { 41: TID, 42: MID };
const payment = { ...base, 2: PAN, 4: '000000001234', 22: '021', 25: '00', 49: '156' };
const totals = '000000001234001' + '000000001234001' + '0' + '0'.repeat(31);

const messages = [
  { 0: '0800', ...base, 7: '0314092653', 11: '000001', 60: '00000001003', 63: '01 ', 70: '001' },
  { 0: '0200', ...payment, 3: '000000', 11: '000002', 60: '22000001000', 63: 'CUP' },
  { 0: '0400', ...payment, 3: '000000', 11: '000002', 39: '98', 60: '22000001000' },
  { 0: '0500', ...base, 11: '000003', 48: totals, 49: '156', 60: '00000001201', 63: '01 ' },
];

const [host, port] = process.argv[2].split(':');
const socket = net.connect({ host, port: Number(port) });
socket.setNoDelay(true);
socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));

let next = 0;

function send() {
  const frame = pack(messages[next]);
  account('sent', frame, messages[next]);
  const cut = [frame.length, 1, 3, frame.length - 1][next]; // whole, or cut at an awkward place
  socket.write(frame.subarray(0, cut));
  if (cut < frame.length) setImmediate(() => socket.write(frame.subarray(cut)));
}

socket.on('connect', send);
frames(socket, (frame) => {
  const answer = unpack(frame);
  account('received', frame, answer);
  const wanted = `${messages[next][0].slice(0, 2)}10`;
  if (answer[0] !== wanted) throw new Error(`answer ${answer[0]}, wanted ${wanted}`);
  next += 1;
  if (next < messages.length) send();
  else socket.end();
});
socket.on('error', (err) => {
  process.stderr.write(`${err.message}\n`);
  process.exitCode = 1;
});
socket.on('close', () => {
  if (next < messages.length) process.exitCode = 1;
});
