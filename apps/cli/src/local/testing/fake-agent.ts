/** Speaks the agent's part towards `gantry up`, and tells its log what it was given. */
console.log(JSON.stringify({ args: process.argv.slice(2), token: process.env['GANTRY_JOIN_TOKEN'] }))
process.on('SIGTERM', () => process.exit(0)).on('disconnect', () => process.exit(0))
process.send?.({ kind: 'ready' })
