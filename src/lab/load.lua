-- Visitors for wrk: load.lua ADDRESS PORT MODE PAUSE
-- Each connection asks, waits PAUSE milliseconds, and asks again. What was seen is printed as one line of JSON.

-- The name in the address bar is the site's, as certificates want it; the place is given.
local address, port, mode, pause = "127.0.0.1", "443", "stay", 1000
local made = 0

function wrk.resolve()
   address, port = wrk.args and wrk.args[1] or address, wrk.args and wrk.args[2] or port
   wrk.addrs = wrk.lookup(os.getenv("LOAD_ADDRESS"), os.getenv("LOAD_PORT"))
end

function init()
   mode, pause = os.getenv("LOAD_MODE"), tonumber(os.getenv("LOAD_PAUSE"))
   math.randomseed(tonumber(tostring({}):match("0x(%x+)"), 16) % 2147483647)
   if mode == "part" then
      wrk.headers["Connection"] = "close"
   end
end

function delay()
   -- Not all at once: around the pause, by half of it.
   return math.floor(pause * (0.5 + math.random()))
end

function request()
   made = made + 1
   if mode == "slow" then
      return wrk.format("GET", "/slow?seconds=10")
   elseif made % 10 == 0 then
      return wrk.format("POST", "/items", { ["Content-Type"] = "application/json", Host = wrk.headers["Host"] or wrk.host }, '{"name":"load"}')
   elseif made % 10 == 5 then
      return wrk.format("GET", "/items")
   end
   return wrk.format("GET", "/version")
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"milliseconds":%d,"p50":%.3f,"p99":%.3f,"max":%.3f}\n',
      summary.requests, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
      summary.duration / 1000, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
