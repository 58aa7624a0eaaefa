// SPDX-License-Identifier: Apache-2.0
// client.js SOCKET PROTO: a session of calls with grpc-js; prints one line of JSON for each.
'use strict';
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [socket, proto] = process.argv.slice(2);
const api = grpc.loadPackageDefinition(loader.loadSync(proto, { longs: String, enums: String }));
const options = { 'grpc.keepalive_time_ms': 200, 'grpc.keepalive_permit_without_calls': 1 };
const credentials = grpc.credentials.createInsecure();
const runtime = new api.runtime.v1.RuntimeService(`unix:${socket}`, credentials, options);
const images = new api.runtime.v1.ImageService(`unix:${socket}`, credentials, options);

function call(client, method, request, seconds = 20) {
  return new Promise((resolve) => {
    client[method](request, { deadline: Date.now() + seconds * 1000 }, (error, response) => {
      resolve(error ? { code: grpc.status[error.code], details: error.details } : response);
    });
  });
}

async function main() {
  const print = (value) => console.log(JSON.stringify(value));
  print((await call(runtime, 'Version', { version: '0.1.0' })).runtimeName);
  print((await call(runtime, 'Status', { verbose: true })).status.conditions.length);
  print((await call(runtime, 'CheckpointPod', {})).code);
  print((await call(images, 'ImageStatus', {})).code);
  print((await call(images, 'PullImage', { image: { image: 'slow' } }, 0.5)).code);
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => call(runtime, 'Version', {})));
  print(answers.filter((answer) => answer.runtimeName === 'ocid').length);
  // idle, with pings
  await new Promise((resolve) => setTimeout(resolve, 1000));
  print((await call(runtime, 'Version', {})).runtimeVersion !== '');
  runtime.close();
  images.close();
}

main();
