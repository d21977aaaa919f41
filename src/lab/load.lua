-- Visitors, for wrk. Each connection asks, waits a while, and asks again. What was seen is printed as one line of JSON.
-- LOAD_ADDRESS, LOAD_PORT: where they go; the name they ask for is that of wrk's own argument, as certificates want it.
-- LOAD_MANNER: keep, close or slow. LOAD_PAUSE: milliseconds between an answer and the next question.
local manner = os.getenv("LOAD_MANNER")
local pause = tonumber(os.getenv("LOAD_PAUSE"))
local made = 0
local threads = {}
-- Who answered, as words of one text: all that a thread can hand over.
hosts = ""

function wrk.resolve()
   wrk.addrs = wrk.lookup(os.getenv("LOAD_ADDRESS"), os.getenv("LOAD_PORT"))
end

function setup(thread)
   table.insert(threads, thread)
end

function init()
   if manner == "close" then
      wrk.headers["Connection"] = "close"
   end
end

-- Around the pause, by half of it: not all at once.
function delay()
   return math.floor(pause * (0.5 + math.random()))
end

function request()
   made = made + 1
   if manner == "slow" then
      return wrk.format("GET", "/slow?seconds=10")
   elseif made % 10 == 0 then
      return wrk.format("POST", "/items", nil, '{"name":"load"}')
   elseif made % 10 == 5 then
      return wrk.format("GET", "/items")
   elseif made % 20 == 7 then
      return wrk.format("POST", "/jobs", nil, '{"name":"load"}')
   end
   return wrk.format("GET", "/version")
end

function response(status, headers, body)
   local host = body:match('"host":"([%w-]+)"')
   if host and not (" " .. hosts .. " "):find(" " .. host .. " ", 1, true) then
      hosts = hosts == "" and host or hosts .. " " .. host
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"p50":%.3f,"p99":%.3f,"longest":%.3f,"hosts":"%s"}\n',
      summary.requests, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, threads[1]:get("hosts")))
end
