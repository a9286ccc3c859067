-- For wrk: each write carries sixteen requests, so that fifteen of them wait in the server's buffer.
--   wrk -t1 -c64 -d10s -s pipeline.lua http://127.0.0.1:8080/
-- A path after the script's name is asked for instead:  … -s pipeline.lua URL -- /files/1k.txt

local batch

function init(args)
    local path = args[1] or "/files/100b.txt"
    batch = string.rep(wrk.format("GET", path), 16)
end

function request()
    return batch
end
