// A run's folder as a training of 90 epochs on 16 ranks would have written it: more of everything than a test could train.
//   node written.js FOLDER
'use strict';
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');

const epochs = 90, stepsPerEpoch = 5000, every = 50, ranks = 16, classes = 100;

// What a name may hold without harm to a page.
const odd = 'a "quote" </script><b>&amp; it\'s grüße 图';

const job = `[job]
name = long
model = shapes(classes=${classes})
epochs = ${epochs}
seed = 1
[block basic(x, width, stride=1)]
y = x | conv(width, 3, stride=stride) | bn | relu | conv(width, 3) | bn
skip = if(stride > 1, x | conv(width, 1, stride=stride) | bn, x)
out = y + skip | relu
[net shapes(image, classes=10)]
stem = image | conv(16, 3, stride=2) | bn | relu
layer1 = stem | basic(16)^3
layer2 = layer1 | basic(32, stride=2)
fc = layer2 | global_avgpool | linear(classes)
[step]
logits = model(image)
loss = cross_entropy(logits, label)
train = model
optimizer = sgd(lr=0.1)
[validate]
logits = model(image)
loss = cross_entropy(logits, label)
top1 = accuracy(logits, label)
table = logits | confusion(label)
best = top1
[data]
batch = 64
train = nowhere.h5:train
validate = nowhere.h5:test
image = [32, 32, 3]
`;

// Numbers that look random and are the same everywhere.
let state = 1;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

function chunk(kind, bytes) {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), bytes]), out = Buffer.alloc(body.length + 8);
  let crc = ~0;
  for (const byte of body) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  out.writeUInt32BE(bytes.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(~crc >>> 0, out.length - 4);
  return out;
}

// A grey PNG of noise, which does not pack.
function png(side) {
  const header = Buffer.alloc(13), rows = Buffer.alloc(side * (side + 1));
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 8;
  for (let i = 0; i < rows.length; i++) rows[i] = i % (side + 1) ? Math.floor(256 * random()) : 0;
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function stepLine(step) {
  const loss = step === 100000 ? null : 4 * Math.exp(-step / 1e5) + 0.3 * random(); // once not finite
  return {step, epoch: step / stepsPerEpoch, loss, lr: 0.1 * (1 - step / epochs / stepsPerEpoch), img_per_s: 9000 + 500 * random(),
    comm_share: 0.1, comm_share_max: 0.2, comm_share_min: 0.05, time: 1.7e9 + step / 10, data_share: 0.05, forward_share: 0.25,
    backward_share: 0.45, optimizer_share: 0.1, other_share: 0.05};
}

function validationLine(epoch) {
  const top1 = 0.8 - 0.7 * Math.exp(-epoch / 20) - (epoch === epochs ? 0.1 : 0), each = 1 / classes;
  const table = Array.from({length: classes}, (_, i) => Array.from({length: classes}, (_, k) => i === k ? each * top1 : k === (i + 1) % classes ? each * (1 - top1) : 0));
  const calibration = Array.from({length: 15}, (_, i) => i < 3 ? [0, 0, 0] : [1 / 12, (i + 0.5) / 15, (i + 0.2) / 15]);
  return {step: epoch * stepsPerEpoch, epoch, time: 1.7e9 + epoch * stepsPerEpoch / 10, validate: {loss: 3 * Math.exp(-epoch / 30), top1, table, reliability: calibration}, error: {top1: 0.004, loss: 0.01}};
}

function rankLine(step, first) {
  const slow = rank => rank === 5 ? 0.3 : 0.2;
  const list = f => Array.from({length: ranks}, (_, rank) => f(rank));
  return {step, epoch: step / stepsPerEpoch, ...(first ? {ranks, hosts: list(rank => `node${rank >> 2}`)} : {}),
    compute_s: list(rank => slow(rank) + 0.01 * random()), wait_s: list(rank => 0.31 - slow(rank)), data_s: list(() => 0.001 * random())};
}

function tensors(epoch) {
  const out = [];
  for (let layer = 0; layer < 20; layer++)
    for (const kind of ['weight', 'gradient', 'activation']) {
      const width = kind === 'gradient' ? 0.01 : 1 + epoch / 90;
      const counts = Array.from({length: 64}, (_, i) => Math.round(1e5 * Math.exp(-((i - 31.5) ** 2) / 200)));
      const name = layer === 9 ? 'encoder.layers.9.attention.projection.double_conv.1.weight' : `layer${layer}.conv.weight`;
      out.push({net: 'shapes', name, kind, n: 1e6, min: -width, max: width, mean: 0, std: width / 3, zeros: 0.01,
        ...(kind === 'activation' ? {dead: layer / 40} : {}), not_finite: 0, counts});
    }
  return {step: epoch * stepsPerEpoch, epoch, tensors: out};
}

function write(folder) {
  const lines = (name, list) => fs.writeFileSync(path.join(folder, name), list.map(line => JSON.stringify(line) + '\n').join(''));
  const metrics = [], slow = [], histograms = [];
  for (const sub of ['pictures', 'worst']) fs.mkdirSync(path.join(folder, sub), {recursive: true});
  for (let step = every; step <= epochs * stepsPerEpoch; step += every) {
    metrics.push(stepLine(step));
    if (step % 250 === 0) slow.push(rankLine(step, !slow.length));
    if (step % stepsPerEpoch === 0) metrics.push(validationLine(step / stepsPerEpoch));
  }
  for (let epoch = 1; epoch <= epochs; epoch++) {
    histograms.push(tensors(epoch));
    fs.writeFileSync(path.join(folder, 'pictures', `samples_${String(epoch * stepsPerEpoch).padStart(8, '0')}.png`), png(160));
  }
  const samples = Array.from({length: 16}, (_, i) => {
    fs.writeFileSync(path.join(folder, 'worst', `${i}.png`), png(32));
    return {index: i, name: odd, loss: 9 - i / 4, label: 1, label_name: odd, guess: 2, guess_name: 'cat', p: 0.99, p_label: 0.001, picture: `worst/${i}.png`};
  });
  lines('metrics.jsonl', metrics);
  lines('ranks.jsonl', slow);
  lines('histograms.jsonl', histograms);
  lines('events.jsonl', [{time: 17e8, event: 'start', step: 0, ranks}, {time: 17e8 + 9, event: 'warning', text: odd},
    {time: 17e8 + 99, event: 'end', step: 500, state: 'stopped', text: 'asked to'}, {time: 17e8 + 200, event: 'start', step: 500, ranks},
    {time: 17e8 + 45000, event: 'end', step: 450000, state: 'complete', text: ''}]);
  fs.writeFileSync(path.join(folder, 'worst.json'), JSON.stringify({step: 445000, epoch: 89, samples}));
  fs.writeFileSync(path.join(folder, 'job.ini'), job);
  return metrics;
}

module.exports = {write, odd};
if (require.main === module) write(process.argv[2]);
