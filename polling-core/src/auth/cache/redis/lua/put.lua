-- ARGV[2]  the token

return {replace(ARGV[2], '')}
