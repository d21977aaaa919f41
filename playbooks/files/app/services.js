'use strict';
// What stands behind the application: PostgreSQL and redis, as the environment names them.
const fs = require('fs');
const Redis = require('ioredis');
const { Pool } = require('pg');

// PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE are read by the client itself.
function database() {
  const pool = new Pool({ max: 5, connectionTimeoutMillis: 5000, idleTimeoutMillis: 30000 });
  // A connection that breaks while nobody uses it is made again when it is needed.
  pool.on('error', (error) => console.error(`database: ${error.message}`));
  return pool;
}

// One server by REDIS_HOST, or the primary that REDIS_SENTINELS (`host:port,host:port`) name; over TLS where REDIS_CA names who signs.
function redis() {
  const password = process.env.REDIS_PASSWORD || undefined;
  const common = { password, maxRetriesPerRequest: 3, retryStrategy: (times) => Math.min(times * 100, 2000) };
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
  return client;
}

module.exports = { database, redis, queue: 'app:jobs' };
