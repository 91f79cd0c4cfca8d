import { PassThrough, Readable } from 'node:stream'
import { type ContainerId, defaultSpec, type RequestId } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const spec = defaultSpec('busybox')
const owner = aCaller('p1')
const other = aCaller('p2')
const admin = aCaller('admins', ['admin'])
const everything = { filters: {}, sortKey: 'id', descending: false, limit: 10, marker: null } as const

test('streams, resizes, uploads and single actions of another project are not there', async () => {
  const asked: string[] = []
  const record = (name: string) => async () => {
    asked.push(name)
    return { reply: {}, output: new PassThrough() }
  }
  const names = ['exec', 'execResize', 'ttyResize', 'archivePut', 'archiveGet', 'logs'] as const
  const calls = Object.fromEntries(names.map((name) => [name, record(name)])) as unknown as Partial<AgentCalls>
  await using world = await aWorld({ calls })
  const { containers } = world.control
  const { id } = await containers.create(owner, { name: 'web', spec, run: true })
  const mine = await containers.create(other, { name: 'mine', spec, run: true })
  await world.host.idle()
  const { signal } = new AbortController()
  const size = { rows: 1, columns: 1 }
  const exec = { command: ['id'], environment: {}, workdir: null, user: null, tty: false, input: null }
  for (const ref of [id, 'web']) {
    for (const attempt of [
      () => containers.resizeExec(other, ref, 'a'.repeat(64), size),
      () => containers.resizeTty(other, ref, size),
      () => containers.exec(other, ref, exec, signal),
      () => containers.putArchive(other, ref, '/', Readable.from([]), signal),
      () => containers.action(other, ref, owner.requestId),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'container.not-found' })
    }
  }
  expect(asked).toEqual([])
  // An action is one of its container, whoever knows the id of its request.
  const foreign: RequestId = owner.requestId
  await expect(containers.action(other, mine.id, foreign)).rejects.toMatchObject({ code: 'action.not-found' })
})

test('a marker of another project is unknown, also under every filter and order', async () => {
  await using world = await aWorld()
  const { containers } = world.control
  const { id } = await containers.create(owner, { name: 'web', spec, run: false })
  await containers.create(other, { name: 'mine', spec, run: false })
  for (const sortKey of ['id', 'name', 'project_id', 'host'] as const) {
    const page = containers.list(other, { ...everything, sortKey, marker: id, allProjects: false })
    await expect(page).rejects.toMatchObject({ code: 'container.not-found' })
  }
  const asked = containers.list(other, { ...everything, filters: { projectId: 'p1' }, allProjects: false })
  await expect(asked).resolves.toEqual([])
  const unknown = containers.list(other, { ...everything, marker: 'no' as ContainerId, allProjects: false })
  await expect(unknown).rejects.toMatchObject({ code: 'container.not-found' })
})

test('an administrator reaches the container of another project by its id, not by a name that happens to match', async () => {
  await using world = await aWorld()
  const { containers } = world.control
  const { id } = await containers.create(owner, { name: 'web', spec, run: true })
  await world.host.idle()
  const options = { force: false, stop: true }
  await expect(containers.delete(admin, 'web', options)).rejects.toMatchObject({ code: 'container.not-found' })
  await expect(containers.stop(admin, 'web', { graceSeconds: 0 })).rejects.toMatchObject({ kind: 'not-found' })
  expect((await containers.get(admin, 'web', { allProjects: true })).id).toBe(id)
  expect((await containers.get(admin, id)).id).toBe(id)
  await containers.delete(admin, id, options)
  await world.host.idle()
  expect(world.host.engine.size).toBe(0)
})

test('what a deleted project left behind is still found and removed by an administrator', async () => {
  await using world = await aWorld()
  const { containers } = world.control
  await containers.create(owner, { name: 'left', spec, run: true })
  await world.host.idle()
  const left = await containers.list(admin, { ...everything, filters: { projectId: 'p1' }, allProjects: true })
  expect(left.map(({ name }) => name)).toEqual(['left'])
  for (const { id } of left) await containers.delete(admin, id, { force: true, stop: false, allProjects: true })
  await world.host.idle()
  expect(world.host.engine.size).toBe(0)
})
