'use strict';
// What stands behind the application: PostgreSQL and redis, as the environment names them. Both move to another node now and then, by
// plan or not: who asks waits for that, and is not turned away.
const fs = require('fs');
const Redis = require('ioredis');
const { Pool } = require('pg');

// So long a request waits for a primary. The pooler gives up after 30 seconds, and says so first.
const PATIENCE = 35000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks until the answer is no passing refusal, or patience is over. `passing` says of an error that nothing was done, and that it will pass.
async function patiently(ask, passing) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!passing(error) || Date.now() > until) throw error;
      await pause(200);
    }
  }
}

// The pooler is being started again; the server is, or has become a standby.
const ASIDE = ['ECONNREFUSED', '57P03', '25006'];

// PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE are read by the client itself.
function database() {
  // That time is also the one that a query waits for its turn while the others wait for the pooler.
  const pool = new Pool({ max: 5, connectionTimeoutMillis: PATIENCE, idleTimeoutMillis: 30000 });
  // A connection that breaks while nobody uses it is made again when it is needed.
  pool.on('error', (error) => console.error(`database: ${error.message}`));
  const query = pool.query.bind(pool);
  return {
    query: (...words) => patiently(() => query(...words), (error) => ASIDE.includes(error.code)),
    end: () => pool.end(),
  };
}

// It is a replica now, is alone for a moment after it took over, or reads its data.
const MOVING = /^(READONLY|NOREPLICAS|LOADING|MASTERDOWN) /;

// One server by REDIS_HOST, or the primary that REDIS_SENTINELS (`host:port,host:port`) name; over TLS where REDIS_CA names who signs.
function redis() {
  const password = process.env.REDIS_PASSWORD || undefined;
  const common = {
    password,
    // Twenty times make half a minute.
    maxRetriesPerRequest: 20,
    retryStrategy: (times) => Math.min(times * 100, 2000),
    // Then the sentinels are asked anew.
    reconnectOnError: (error) => error.message.startsWith('READONLY '),
  };
  const sentinels = process.env.REDIS_SENTINELS;
  if (process.env.REDIS_CA) common.tls = { ca: fs.readFileSync(process.env.REDIS_CA) };
  const client = sentinels
    ? new Redis({
        ...common,
        name: process.env.REDIS_MASTER || 'mymaster',
        sentinelTLS: common.tls,
        enableTLSForSentinelMode: Boolean(common.tls),
        sentinelPassword: process.env.REDIS_SENTINEL_PASSWORD || undefined,
        sentinels: sentinels.split(',').map((each) => {
          const [host, port] = each.split(':');
          return { host, port: Number(port || 26379) };
        }),
      })
    : new Redis({ ...common, host: process.env.REDIS_HOST || '127.0.0.1', port: Number(process.env.REDIS_PORT || 6379) });
  client.on('error', (error) => console.error(`redis: ${error.message}`));
  // What is asked is asked again where the primary moves meanwhile.
  for (const name of ['lpush', 'rpoplpush', 'brpoplpush', 'lrem', 'set']) {
    const command = client[name].bind(client);
    client[name] = (...words) => patiently(() => command(...words), (error) => MOVING.test(error.message));
  }
  return client;
}

module.exports = { database, redis, queue: 'app:jobs' };
