-- For wrk: prints what wrk measured as one line of JSON, and may vary the requests.
--   wrk … -s wrk.lua URL                        the same request again and again
--   wrk … -s wrk.lua URL -- pipeline 16         16 requests at once in each turn of a connection
--   wrk … -s wrk.lua URL -- list FILE OFFSET    the requests of FILE one after the other, from line OFFSET on
-- A line of FILE is a path, or a path, a tab and one field line.
local function list_read(path)
    local requests = {}
    for line in io.lines(path) do
        local target, name, value = line:match("^([^\t]+)\t([^:]+): (.+)$")
        local fields = {}
        for key, text in pairs(wrk.headers) do fields[key] = text end
        if name then fields[name] = value end
        requests[#requests + 1] = wrk.format("GET", target or line, fields)
    end
    return requests
end

function init(args)
    if args[1] == "pipeline" then
        local together = wrk.format("GET"):rep(tonumber(args[2]))
        request = function() return together end
    elseif args[1] == "list" then
        local requests, at = list_read(args[2]), tonumber(args[3]) or 0
        request = function()
            at = at % #requests + 1
            return requests[at]
        end
    end
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format(
        '\nzcbench {"requests": %d, "seconds": %.6f, "bytes": %d, "p50_us": %d, "p90_us": %d, ' ..
        '"p99_us": %d, "p999_us": %d, "max_us": %d, "connect": %d, "read": %d, "write": %d, ' ..
        '"status": %d, "timeout": %d}\n',
        summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50),
        latency:percentile(90), latency:percentile(99), latency:percentile(99.9), latency.max,
        e.connect, e.read, e.write, e.status, e.timeout))
end
