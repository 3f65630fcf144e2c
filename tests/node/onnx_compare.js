// onnx_compare.js FOLDER: every FOLDER/NAME.onnx is computed by onnxruntime on the inputs that lie beside it
// (support/onnx_outputs.c writes them), and its output compared with NAME.y: the largest difference may be 1e-5 of the
// largest number. NAME.folded.onnx and NAME.back.onnx
// are compared with the same numbers. Prints one line a file; ends with 77 where there
// is no onnxruntime.
"use strict";
const fs = require("fs");
const path = require("path");
let ort;
try {
  ort = require("onnxruntime-node");
} catch (error) {
  console.log("skipped: " + error.message.split("\n")[0]);
  process.exit(77);
}
const MOST = 1e-5;

function numbers(file, type) {
  const bytes = fs.readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return type === "int64" ? BigInt64Array.from(new Int32Array(buffer), BigInt) : new Float32Array(buffer);
}

// How far both are apart, relative to the largest number; classes must be the same.
function difference(ours, theirs) {
  let largest = 0, most = 0;
  if (ours.length !== theirs.length) return Infinity;
  for (let i = 0; i < ours.length; i++) {
    const a = Number(ours[i]), b = Number(theirs[i]);
    largest = Math.max(largest, Math.abs(a));
    if (!(Math.abs(a - b) <= most)) most = Number.isNaN(a - b) ? Infinity : Math.abs(a - b);
  }
  return largest > 0 && Number.isFinite(largest) ? most / largest : Infinity;
}

async function compare(folder, file, stem) {
  const about = JSON.parse(fs.readFileSync(path.join(folder, stem + ".json")));
  const session = await ort.InferenceSession.create(path.join(folder, file), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds = {};
  about.inputs.forEach((input, i) => {
    feeds[session.inputNames[i]] = new ort.Tensor(input.type, numbers(path.join(folder, stem + "." + i), input.type), input.dims);
  });
  const result = (await session.run(feeds))[session.outputNames[0]];
  if (result.dims.join() !== about.output.dims.join())
    throw new Error("the output is " + result.dims.join("x") + ", expected " + about.output.dims.join("x"));
  return difference(numbers(path.join(folder, stem + ".y"), about.output.type), result.data);
}

async function main(folder) {
  const files = fs.readdirSync(folder).filter((f) => f.endsWith(".onnx")).sort();
  let wrong = files.length ? 0 : 1;
  for (const file of files) {
    const stem = file.replace(/(\.folded|\.back)?\.onnx$/, "");
    try {
      const off = await compare(folder, file, stem);
      if (!(off <= MOST)) wrong++;
      console.log(off.toExponential(1) + "  " + file + (off <= MOST ? "" : "  WRONG"));
    } catch (error) {
      wrong++;
      console.log("failed   " + file + ": " + error.message);
    }
  }
  process.exit(wrong ? 1 : 0);
}
main(process.argv[2]);
