import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle, programs } from './bundle.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp('/tmp/gantry-bundle-')
  await bundle({ out: join(folder, 'all'), version: '7.8.9' })
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The one file in a folder of its own, and an environment that leads nowhere else. */
async function alone(name: string) {
  const home = await mkdtemp(join(folder, 'alone-'))
  const file = join(home, `${name}.mjs`)
  await copyFile(join(folder, 'all', `${name}.mjs`), file)
  return { file, options: { cwd: home, env: { HOME: home, PATH: '/usr/bin:/bin' } } }
}

describe('one file, alone in an empty folder,', () => {
  test.each(Object.keys(programs))('is the whole of %s', async (name) => {
    const { file, options } = await alone(name)
    const { stdout } = await promisify(execFile)(process.execPath, [file, '--help'], options)
    expect(stdout).toMatch(/^Usage: gantry /)
  })

  test('serves, says of which version it is, and ends in good order', async () => {
    const { file, options } = await alone('server')
    const { stdout } = await promisify(execFile)(process.execPath, [file, '--version'], options)
    expect(stdout).toBe('7.8.9\n')
    const ports = ['listen', 'agents-listen', 'docker-listen', 'docker-tls-listen']
    const args = ports.flatMap((port) => [`--${port}`, '127.0.0.1:0'])
    const server = spawn(process.execPath, [file, ...args], { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(server, 'exit')
    for await (const line of createInterface(server.stdout)) if (line.includes('"ready"')) break
    server.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  })

  test('gantry becomes the program that lies beside it, or says that it does not', async () => {
    const { file, options } = await alone('gantry')
    const ask = () => promisify(execFile)(process.execPath, [file, 'agent', '--version'], options)
    await expect(ask()).rejects.toThrow(`The program of gantry agent is not at ${join(options.cwd, 'agent.mjs')}.`)
    await copyFile(join(folder, 'all/agent.mjs'), join(options.cwd, 'agent.mjs'))
    expect((await ask()).stdout).toBe('7.8.9\n')
  })
})
