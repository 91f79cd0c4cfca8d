import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { imageCommands } from '../conformance/image-commands.ts'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** What is made on one host, or on none, runs on another. */
let here: TestEngine
let there: TestEngine
let gantry: Gantry
let demo: Session
let folder = ''

const { ok, docker, names, idOf } = imageCommands(() => ({ gantry, demo }))

beforeAll(async () => {
  ;[here, there] = await Promise.all([startEngine(), startEngine()])
  await loadBusybox(here.socket)
  gantry = await startGantry({ engine: here, publish: false, agentArgs: ['--label', 'side=here'] })
  await gantry.addHost('other-host', there, ['--label', 'side=there'])
  demo = await gantry.logIn('demo')
  // No registry is in reach: it comes from the engine that has it.
  await ok(['pull', 'busybox'])
  folder = await mkdtemp(join(gantry.home, 'made-'))
}, 120_000)
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await Promise.all([here?.stop(), there?.stop()])
})

/** Runs a command on one of the hosts; answers what it wrote. */
async function on(side: 'here' | 'there', image: string, command: readonly string[]): Promise<string> {
  const name = `on-${side}-${image.replaceAll(/[^a-z0-9]/g, '-')}`
  const body = { image, name, command, cpu: 0.1, memory: '16', hints: { 'label:side': side } }
  const { status, text } = await demo.zun('POST', '/containers?run=true', body)
  expect(status, text).toBe(202)
  await demo.waitFor(name, (container) => container.status === 'Stopped' || container.status === 'Error')
  const said = await ok(['logs', name])
  await ok(['rm', name])
  return said
}

/** A container that was made on one side and has written a file. */
async function written(side: 'here' | 'there', name: string, text: string): Promise<void> {
  const command = ['sh', '-c', `echo ${text} > /made`]
  const body = { image: 'busybox', name, command, cpu: 0.1, memory: '16', hints: { 'label:side': side } }
  expect((await demo.zun('POST', '/containers?run=true', body)).status).toBe(202)
  await demo.waitFor(name, ({ status }) => status === 'Stopped')
}

async function expectEverywhere(image: string, text: string): Promise<void> {
  for (const side of ['here', 'there'] as const) expect(await on(side, image, ['cat', '/made'])).toBe(text)
}

test('a commit, by Docker’s users and by Zun’s', async () => {
  await written('there', 'source', 'committed')
  await ok(['commit', 'source', 'by-docker:1'])
  await expectEverywhere('by-docker:1', 'committed')
  expect((await demo.zun('POST', '/containers/source/commit?repository=by-zun&tag=1')).status).toBe(202)
  await vi.waitFor(async () => expect(await names()).toContain('by-zun:1'), 30_000)
  await expectEverywhere('by-zun:1', 'committed')
})

test('a file system, an archive, and what is built', async () => {
  const [tar, archive] = [join(folder, 'file-system.tar'), join(folder, 'archive.tar')]
  await ok(['export', '-o', tar, 'source'])
  await ok(['import', tar, 'imported:1'])
  await expectEverywhere('imported:1', 'committed')
  await ok(['save', '-o', archive, 'by-docker:1'])
  await ok(['rmi', 'by-docker:1'])
  await ok(['load', '-i', archive])
  await expectEverywhere('by-docker:1', 'committed')
  await writeFile(join(folder, 'Dockerfile'), 'FROM by-docker:1\nRUN echo built > /made\n')
  await ok(['build', '-t', 'built:1', '-f', join(folder, 'Dockerfile'), folder])
  await expectEverywhere('built:1', 'built')
  await ok(['rmi', 'imported:1', 'built:1'])
}, 240_000)

test('a commit comes into the catalogue, or goes without a trace, though the server is killed in the middle of it', async () => {
  for (const afterMs of [50, 200, 400]) {
    const name = `killed-${afterMs}:1`
    const committing = docker(['commit', 'source', name])
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    await gantry.server.kill9()
    await committing
    await gantry.server.start()
    // Until both sides are done with it, Glance's users would see it wait.
    await vi.waitFor(async () => expect(await leftOn(there)).toEqual([]), { timeout: 60_000, interval: 500 })
    if (!(await names()).includes(name)) continue
    expect(await on('here', name, ['cat', '/made'])).toBe('committed')
    await ok(['rmi', name])
  }
}, 240_000)

/** What only stands for images on their way. */
async function leftOn(engine: TestEngine): Promise<string[]> {
  const all = await engine.docker('images', '--format', '{{.Repository}}:{{.Tag}}')
  return all.split('\n').filter((name) => name.startsWith('untagged/'))
}

test('nothing of what was removed stays on a host', async () => {
  await ok(['rm', 'source'])
  await ok(['rmi', 'by-docker:1', 'by-zun:1'])
  const imageId = await idOf('busybox')
  for (const engine of [here, there]) {
    const copies = async () => {
      const all = (await engine.docker('images', '-a', '--no-trunc', '--format', '{{.Repository}} {{.ID}}')).split('\n')
      // What stands for networks, and what a build keeps of its steps, are the host's own.
      return all.filter(
        (line) => line !== '' && !line.includes(imageId) && !/gantry\.build\/steps|gantry\/sandbox/.test(line),
      )
    }
    await vi.waitFor(async () => expect(await copies()).toEqual([]), 60_000)
  }
  await rm(folder, { recursive: true, force: true })
})
