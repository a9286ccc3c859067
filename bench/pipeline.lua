-- For wrk: each turn of a connection sends several requests at once.
--   wrk … -s pipeline.lua URL -- 16
function init(args)
    local requests = {}
    for i = 1, tonumber(args[1]) or 16 do
        requests[i] = wrk.format("GET")
    end
    together = table.concat(requests)
end

function request()
    return together
end
