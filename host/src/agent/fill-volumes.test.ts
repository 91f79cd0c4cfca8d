import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Assignment, Mount, VolumeId } from '@gantry/model'
import { expect, onTestFinished, test } from 'vitest'
import type { ContainerApi } from '../engine/containers.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { CreateBody } from '../engine/engine-types.ts'
import { fillVolumes } from './fill-volumes.ts'

const folderMode = 2 ** 31 + 0o755

interface Engine {
  /** By path: what the image has there. */
  readonly image: Readonly<Record<string, { readonly mode: number; readonly tar: string }>>
  readonly put?: (path: string) => Promise<void>
}

/** An engine that notes what is asked of it; tars are texts. */
function anEngine({ image, put }: Engine) {
  const bodies: CreateBody[] = []
  const there = new Set<string>()
  const unpacked: string[] = []
  const api: Pick<ContainerApi, 'create' | 'archiveGet' | 'archivePut' | 'remove'> = {
    async create(_name, body) {
      bodies.push(body)
      const Id = `helper-${bodies.length}`
      there.add(Id)
      return { Id }
    },
    async archiveGet(_ref, path) {
      const found = image[path]
      if (!found) throw new EngineError(404, `Could not find the file ${path}`)
      const stat = Buffer.from(JSON.stringify({ mode: found.mode })).toString('base64')
      return {
        status: 200,
        headers: { 'x-docker-container-path-stat': stat },
        body: Readable.from([found.tar]),
      }
    },
    async archivePut(_ref, path, tar) {
      await put?.(path)
      unpacked.push(`${path}: ${await text(tar)}`)
    },
    async remove(ref) {
      there.delete(ref)
    },
  }
  return { api: api as ContainerApi, bodies, there, unpacked }
}

async function aVolume() {
  const root = await mkdtemp('/tmp/gantry-fill-')
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const source = join(root, 'data')
  await mkdir(source)
  return { source, mark: join(root, 'filling') }
}

function assignment(...mounts: Mount[]): Assignment {
  return { imageRef: 'image', mounts } as Assignment
}

const mount = (destination: string, fill = true): Mount => ({
  kind: 'volume',
  volumeId: destination as VolumeId,
  destination,
  readOnly: false,
  ...(fill && { fill }),
})
const { signal } = new AbortController()

test('an empty volume gets what the image has there, by helpers that no container’s label names', async () => {
  const engine = anEngine({ image: { '/var/x': { mode: folderMode, tar: 'x' } } })
  const fill = fillVolumes(engine.api, 'ours')
  const { source, mark } = await aVolume()
  const bind = { source, destination: '/var/x/', readOnly: true }
  await fill(assignment(mount('/var/x/')), [bind], signal)
  expect(engine.unpacked).toEqual(['/var: x'])
  expect(engine.bodies.map(({ Labels }) => Labels)).toEqual([
    { 'gantry.deployment': 'ours' },
    { 'gantry.deployment': 'ours' },
  ])
  expect(engine.bodies.map(({ HostConfig }) => HostConfig.Mounts)).toEqual([
    [],
    [{ Type: 'bind', Source: source, Target: '/var/x/', ReadOnly: false }],
  ])
  expect(engine.there.size).toBe(0)
  expect(existsSync(mark)).toBe(false)
})

test('one that holds something, or is not to be filled, is left alone', async () => {
  const engine = anEngine({ image: {} })
  const fill = fillVolumes(engine.api, 'ours')
  const [used, plain] = [await aVolume(), await aVolume()]
  await writeFile(join(used.source, 'f'), '')
  const binds = [used, plain].map(({ source }, index) => ({ source, destination: `/${index}`, readOnly: false }))
  await fill(assignment(mount('/0'), mount('/1', false)), binds, signal)
  expect(engine.bodies).toEqual([])
})

test('a file, a link or nothing there fills nothing', async () => {
  const engine = anEngine({ image: { '/file': { mode: 0o644, tar: 'f' } } })
  const fill = fillVolumes(engine.api, 'ours')
  for (const destination of ['/file', '/nothing']) {
    const { source, mark } = await aVolume()
    await fill(assignment(mount(destination)), [{ source, destination, readOnly: false }], signal)
    expect(existsSync(mark)).toBe(false)
  }
  expect(engine.unpacked).toEqual([])
  expect(engine.there.size).toBe(0)
})

test('what was interrupted is done again, although something is there', async () => {
  let attempts = 0
  const { source, mark } = await aVolume()
  const engine = anEngine({
    image: { '/x': { mode: folderMode, tar: 'x' } },
    put: async () => {
      attempts += 1
      await writeFile(join(source, 'half'), '')
      if (attempts === 1) throw new EngineError(500, 'no space left on device')
    },
  })
  const fill = fillVolumes(engine.api, 'ours')
  const bind = { source, destination: '/x', readOnly: false }
  await expect(fill(assignment(mount('/x')), [bind], signal)).rejects.toThrow('/x: no space left on device')
  expect(existsSync(mark)).toBe(true)
  expect(engine.there.size).toBe(0)
  await fill(assignment(mount('/x')), [bind], signal)
  expect(engine.unpacked).toEqual(['/: x'])
  expect(existsSync(mark)).toBe(false)
  await fill(assignment(mount('/x')), [bind], signal)
  expect(attempts).toBe(2)
})
