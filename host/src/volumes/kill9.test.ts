import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@gantry/kernel'
import { expect, test } from 'vitest'
import { hostVolumes } from './host-volumes.ts'
import { mountPoints } from './mount-table.ts'

const busyAgent = fileURLToPath(new URL('testing/busy-agent.ts', import.meta.url))

/** Needs root. Another agent takes over the folder at once, as the supervisor of a service would have it. */
test('an agent that is killed at any moment leaves whole file systems only, and nothing mounted that nobody holds', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-volumes-'))
  try {
    for (let round = 0; round < 12; round += 1) {
      await killAfter(folder, round, 13 * round)
      await takeOver(folder)
    }
    expect(readdirSync(join(folder, 'volumes')).length).toBeGreaterThan(10)
  } finally {
    for (const point of await pointsIn(folder)) execFileSync('umount', ['--lazy', point])
    await rm(folder, { recursive: true, force: true })
  }
})

async function killAfter(folder: string, round: number, ms: number): Promise<void> {
  const agent = spawn(process.execPath, [busyAgent, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(agent.stdout, 'data')
  // Not a wait for anything: the moment of the kill is what varies.
  await sleep(ms)
  const ended = once(agent, 'exit')
  agent.kill('SIGKILL')
  await ended
}

async function takeOver(folder: string): Promise<void> {
  const life = new AbortController()
  const warnings: unknown[] = []
  const warn = (fields: object, message: string) => warnings.push({ ...fields, message })
  const log = { debug: () => {}, info: () => {}, warn, error: warn }
  const volumes = hostVolumes({ stateDir: folder, log, clock: systemClock, report: () => {}, signal: life.signal })
  const held = await volumes.held()
  expect(warnings).toEqual([])
  expect((await pointsIn(folder)).length).toBeLessThanOrEqual(held.length)
  for (const id of held) await volumes.release(id)
  expect(await pointsIn(folder)).toEqual([])
  for (const name of ['mounts', 'making', 'held']) expect(readdirSync(join(folder, name))).toEqual([])
  for (const name of ['volumes', 'snapshots']) {
    for (const file of readdirSync(join(folder, name))) {
      // Forced, and changing nothing: a file system that was not complete, or copied while it was written, would show.
      const check = ['-f', '-n', join(folder, name, file)]
      expect(() => execFileSync('e2fsck', check, { stdio: 'pipe' }), file).not.toThrow()
    }
  }
  life.abort(new Error('the round is over'))
}

async function pointsIn(folder: string): Promise<string[]> {
  return (await mountPoints()).filter((point) => point.startsWith(`${folder}/`))
}
