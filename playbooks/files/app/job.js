'use strict';
// Runs on every node by a timer, and works on one of them: the one that gets the lock.
const os = require('os');
const { database, redis } = require('./services');

const LOCK = 'app:tidy';
// A node that dies keeps the lock no longer than this.
const SECONDS = 50;

async function main() {
  const store = redis();
  const own = `${os.hostname()} ${process.pid}`;
  const got = await store.set(LOCK, own, 'EX', SECONDS, 'NX');
  if (got === null) {
    console.log('another node has it');
  } else {
    const pool = database();
    // The newest thousand stay.
    const gone = await pool.query('DELETE FROM items WHERE id < (SELECT max(id) - 1000 FROM items)');
    console.log(`removed ${gone.rowCount} old items`);
    await pool.end();
  }
  await store.quit();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
