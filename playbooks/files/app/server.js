'use strict';
// The API. Several of it run on a node, each on a port of its own, behind nginx.
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const { database, redis, queue } = require('./services');

const port = Number(process.env.PORT || 3001);
const version = fs.readFileSync(path.join(__dirname, 'RELEASE'), 'utf8').trim();
const pool = database();
const store = redis();
// How long answers ask for the end of their connections before those that idle are closed.
const PARTING = 2000;
// What still runs then is cut; systemd waits a little longer.
const GRACE = 25000;
let stopping = false;
let ready = false;

function answer(response, status, value) {
  const body = JSON.stringify(value) + '\n';
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function read(request) {
  return new Promise((resolve, reject) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part) => {
      text += part;
      if (text.length > 65536) reject(Object.assign(new Error('too large'), { status: 413 }));
    });
    request.on('end', () => {
      try {
        resolve(text === '' ? {} : JSON.parse(text));
      } catch {
        reject(Object.assign(new Error('not JSON'), { status: 400 }));
      }
    });
    request.on('error', reject);
  });
}

const routes = {
  'GET /version': async () => ({ version, host: os.hostname(), instance: port - 3000 }),
  // Whether this worker may be given work. That the database is away for a moment is no reason to take all of them out.
  'GET /readyz': async () => {
    if (stopping) throw Object.assign(new Error('stopping'), { status: 503 });
    if (!ready) {
      await Promise.all([pool.query('SELECT 1'), store.ping()]);
      ready = true;
    }
    return { ready, version };
  },
  'GET /items': async () => {
    const found = await pool.query('SELECT id, name FROM items ORDER BY id DESC LIMIT 20');
    return { items: found.rows };
  },
  'POST /items': async (request) => {
    const { name } = await read(request);
    if (typeof name !== 'string' || name === '') throw Object.assign(new Error('no name'), { status: 400 });
    const made = await pool.query('INSERT INTO items (name) VALUES ($1) RETURNING id, name', [name]);
    return made.rows[0];
  },
  'POST /jobs': async (request) => {
    const waiting = await store.lpush(queue, JSON.stringify(await read(request)));
    return { waiting };
  },
  // For tests: an answer that takes its time.
  'GET /slow': async (request, url) => {
    const seconds = Math.min(Number(url.searchParams.get('seconds')) || 1, 60);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return { seconds, version };
  },
};

const server = http.createServer(async (request, response) => {
  if (stopping) response.setHeader('Connection', 'close');
  try {
    const url = new URL(request.url, 'http://app');
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return answer(response, 404, { error: 'not found' });
    const value = await route(request, url);
    if (stopping && !response.headersSent) response.setHeader('Connection', 'close');
    answer(response, request.method === 'POST' ? 201 : 200, value);
  } catch (error) {
    if (!error.status) console.error(`${request.method} ${request.url}: ${error.message}`);
    answer(response, error.status || 503, { error: error.message });
  }
});
// Longer than nginx keeps an idle connection, so that it is never this side that ends one.
server.keepAliveTimeout = 75000;
server.listen(port, '127.0.0.1', () => console.log(`release ${version} on port ${port}`));

process.on('SIGTERM', () => {
  if (stopping) return;
  stopping = true;
  console.log('stopping');
  // Nothing new is accepted; connections that idle are kept a while, for a request may be on its way on them.
  net.Server.prototype.close.call(server, async () => {
    await Promise.allSettled([pool.end(), store.quit()]);
    console.log('stopped');
    process.exit(0);
  });
  setTimeout(() => {
    server.closeIdleConnections();
    setInterval(() => server.closeIdleConnections(), 200).unref();
  }, PARTING).unref();
  setTimeout(() => server.closeAllConnections(), GRACE).unref();
});
