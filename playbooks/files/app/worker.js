'use strict';
// Does what POST /jobs asked for, one job after the other. A job leaves the queue only when it is done.
const os = require('os');
const { database, redis, queue } = require('./services');

const pool = database();
const waiting = redis();
const store = redis();
const own = `${queue}:${os.hostname()}`;
let stopping = false;

async function work(text) {
  const name = String(JSON.parse(text).name || 'job');
  await pool.query('INSERT INTO items (name) VALUES ($1)', [`${name} by ${os.hostname()}`]);
}

async function main() {
  // What an earlier worker of this node had taken and not done goes back first.
  while (await store.rpoplpush(own, queue));
  while (!stopping) {
    try {
      const text = await waiting.brpoplpush(queue, own, 5);
      if (text === null) continue;
      try {
        await work(text);
      } catch (error) {
        // Not what was asked, so never done; what the database refuses for now is tried again.
        if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
        console.error(`job dropped: ${error.message}`);
      }
      await store.lrem(own, 1, text);
    } catch (error) {
      if (stopping) break;
      console.error(`worker: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await store.rpoplpush(own, queue).catch(() => {});
    }
  }
  await Promise.allSettled([pool.end(), store.quit(), waiting.quit()]);
  process.exit(0);
}

process.on('SIGTERM', () => {
  stopping = true;
  // At most the five seconds that it waits for a job, then it is done.
});
main();
