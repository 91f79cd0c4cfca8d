import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** The campaign of `npm run test:faults` (docs/reliability.md), in its short form. GANTRY_CAMPAIGN_SEED repeats one. */
test('a cloud of three servers and three hosts keeps its promises through every fault', {
  timeout: 600_000,
}, async () => {
  const program = fileURLToPath(new URL('campaign/run.ts', import.meta.url))
  const env = { ...process.env, GANTRY_CAMPAIGN_SECONDS: process.env['GANTRY_CAMPAIGN_SECONDS'] ?? '40' }
  const run = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [said, complaints, [code]] = await Promise.all([text(run.stdout), text(run.stderr), once(run, 'exit')])
  // The program's last words first: of a failure CI keeps no more than the beginning.
  const at = Math.max(said.search(/^The logs are in /m), 0)
  expect(code, `${said.slice(at)}\n${complaints}\n${said.slice(0, at)}`).toBe(0)
  expect(said).toMatch(/violations/)
})
