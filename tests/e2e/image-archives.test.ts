import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { Digest } from '@gantry/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ACatalogue, aCatalogue } from '../../apps/server/src/testing/a-catalogue.ts'
import { aCaller } from '../../apps/server/src/testing/a-world.ts'
import { importFileSystem } from '../../control/src/usecases/archives/import-file-system.ts'
import { readArchive } from '../../control/src/usecases/archives/read-archive.ts'
import { writeArchive } from '../../control/src/usecases/archives/write-archive.ts'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { startPodman } from '../fixtures/podman.ts'

/** Archives that real engines wrote, and what real engines make of ours. */
let folder = ''
let docker: TestEngine
let podman: TestEngine
let world: ACatalogue
const run = promisify(execFile)
const us = aCaller('p1')
const soon = () => AbortSignal.timeout(60_000)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-archives-'))
  docker = await startEngine()
  podman = await startPodman()
  world = await aCatalogue()
  await loadBusybox(docker.socket)
  await docker.docker('run', '--name', 'one', 'busybox', 'sh', '-c', 'echo kept > /kept')
  await docker.docker('commit', 'one', 'kept:1')
  await docker.docker('tag', 'kept:1', 'kept:2')
})
afterAll(async () => {
  await docker?.stop()
  await podman?.stop()
  await world?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function read(file: string) {
  return await readArchive({ catalogue: world.catalogue, store: world.store }, us, createReadStream(file), soon())
}

async function write(file: string, digests: ReadonlyMap<Digest, readonly string[]>): Promise<string> {
  const images = [...digests].map(async ([digest, names]) => ({
    manifest: await world.catalogue.manifest(digest),
    names,
  }))
  const { body } = writeArchive(world.catalogue, await Promise.all(images))
  await pipeline(body, createWriteStream(join(folder, file)))
  return join(folder, file)
}

const idOf = (engine: TestEngine, name: string) => engine.docker('image', 'inspect', '-f', '{{.Id}}', name)

describe('what an engine saves', () => {
  test('keeps its ids and sizes here, and goes back to engines as it was', async () => {
    const file = join(folder, 'docker.tar')
    await docker.docker('save', '-o', file, 'busybox', 'kept:1', 'kept:2')
    const images = await read(file)
    const ids = await Promise.all(['busybox', 'kept:1'].map((name) => idOf(docker, name)))
    expect(new Set(images.map(({ imageId }) => imageId))).toEqual(new Set(ids))
    const kept = images.find(({ imageId }) => imageId === ids[1])
    expect(kept?.names.toSorted()).toEqual(['kept:1', 'kept:2'])
    const row = await world.catalogue.nameImage(us, { repo: 'kept', tag: '1' }, kept?.digest ?? ('' as Digest))
    expect(row.size).toBe(Number(await docker.docker('image', 'inspect', '-f', '{{.Size}}', 'kept:1')))

    const made = await write('made.tar', new Map(images.map(({ digest }, at) => [digest, [`made:${at}`]])))
    await docker.docker('rm', 'one')
    await docker.docker('rmi', 'kept:1', 'kept:2', 'busybox')
    for (const engine of [docker, podman]) {
      await engine.docker('load', '-i', made)
      const loaded = await Promise.all(images.map((_, at) => idOf(engine, `made:${at}`)))
      expect(loaded).toEqual(images.map(({ imageId }) => imageId))
    }
    const name = `made:${images.findIndex((each) => each === kept)}`
    expect(await docker.docker('run', '--rm', name, 'cat', '/kept')).toBe('kept')
    await run('skopeo', ['copy', `docker-archive:${made}:${name}`, `dir:${join(folder, 'dir')}`])
  })

  test('may have compressed layers, in an OCI layout', async () => {
    await docker.docker('load', '-i', join(folder, 'docker.tar'))
    const oci = join(folder, 'oci.tar')
    await run('skopeo', ['copy', `docker-archive:${join(folder, 'docker.tar')}:kept:1`, `oci-archive:${oci}:kept:3`])
    const [image] = await read(oci)
    expect(image).toMatchObject({ imageId: expect.stringMatching(/^sha256:/), names: ['kept:3'] })
    const { parts, mediaType } = await world.catalogue.manifest(image?.digest ?? ('' as Digest))
    expect(mediaType).toBe('application/vnd.oci.image.manifest.v1+json')
    expect(parts.at(-1)?.mediaType).toMatch(/gzip$/)
    const made = await write('packed.tar', new Map([[image?.digest ?? ('' as Digest), ['packed:1']]]))
    for (const engine of [docker, podman]) {
      await engine.docker('load', '-i', made)
      expect(await idOf(engine, 'packed:1')).toBe(image?.imageId)
    }
    expect(await docker.docker('run', '--rm', 'packed:1', 'cat', '/kept')).toBe('kept')
    await run('skopeo', ['copy', `docker-archive:${made}`, `dir:${join(folder, 'packed')}`])
  })

  test('may be Podman’s', async () => {
    const file = join(folder, 'podman.tar')
    await podman.docker('save', '-o', file, 'made:0', 'packed:1')
    const ids = await Promise.all(['made:0', 'packed:1'].map((name) => idOf(podman, name)))
    expect(new Set((await read(file)).map(({ imageId }) => imageId))).toEqual(new Set(ids))
  })
})

test('an exported file system becomes an image that runs', async () => {
  const file = join(folder, 'exported.tar')
  await docker.docker('create', '--name', 'two', 'made:0')
  await docker.docker('export', '-o', file, 'two')
  const manifest = await importFileSystem(
    { catalogue: world.catalogue, store: world.store, clock: { now: () => Date.now() } },
    us,
    createReadStream(file),
    { message: 'by hand', changes: ['CMD ["echo","imported"]'] },
    soon(),
  )
  const made = await write('imported.tar', new Map([[manifest.digest, ['imported:1']]]))
  await docker.docker('load', '-i', made)
  expect(await docker.docker('run', '--rm', 'imported:1')).toBe('imported')
})
