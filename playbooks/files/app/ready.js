'use strict';
// Ends well once each of the node's workers has said three times in a row that it is ready: ready.js INSTANCES
const http = require('http');

const instances = Number(process.argv[2] || 1);
const deadline = Date.now() + 120000;

function ask(port) {
  return new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', path: '/readyz', agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
    request.on('timeout', () => request.destroy());
  });
}

async function main() {
  for (let instance = 1; instance <= instances; instance++) {
    for (let good = 0; good < 3; ) {
      good = (await ask(3000 + instance)) ? good + 1 : 0;
      if (Date.now() > deadline) {
        console.error(`worker ${instance} is not ready`);
        process.exit(1);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}
main();
