import { execFile } from 'node:child_process'
import { lutimes, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PersistentClient, type RawImage, rawImage, sha256 } from '../fixtures/persistent-registry-client.ts'
import { type ServerAlone, startServerAlone } from '../fixtures/server-alone.ts'
import type { Session } from '../fixtures/gantry.ts'

/**
 * Kills the server at random points of pushes, deletes and sweeps, and lets time pass in between. `GANTRY_FAULT_ROUNDS` lengthens the
 * campaign; the seed is printed so that a failure can be repeated.
 */
const rounds = Number(process.env['GANTRY_FAULT_ROUNDS'] ?? 2)
const seed = Number(process.env['GANTRY_FAULT_SEED'] ?? Date.now() % 1_000_000)
const pushes = 6
const killsPerRound = 3
const twoHours = 2 * 60 * 60_000

let server: ServerAlone
let demo: Session
let admin: Session
let client: PersistentClient

beforeAll(async () => {
  server = await startServerAlone()
  demo = await server.logIn('demo')
  admin = await server.logIn('admin')
  client = new PersistentClient(`${server.api}/v2/demo/app`, demo.token)
})
afterAll(() => server?.[Symbol.asyncDispose]())

test('kill -9 of the server in pushes and sweeps loses nothing that was acknowledged, and leaks nothing', async () => {
  console.log(`fault seed ${seed}, ${rounds} rounds`)
  const random = seeded(seed)
  /** What must be there, and whole. */
  const acknowledged = new Map<string, string>()
  const pushed = new Set<string>()
  let strays: Buffer[] = [bytes(random, 1_000_000)]
  for (let round = 0; round < rounds; round += 1) {
    const stop = new AbortController()
    const sweeping = sweepOn(stop.signal)
    const base = bytes(random, 2_000_000)
    // Blobs of nobody's from the round before are old by now: one push finds them just when they are swept.
    const images = Array.from({ length: pushes }, (_, index) =>
      rawImage([base, bytes(random, 300_000 * (index + 1)), ...strays.slice(0, index)]),
    )
    for (const { digest } of images) pushed.add(digest)
    const old = [...acknowledged.keys()].filter(() => random() < 0.5)
    const work = [
      ...images.map(async (image, index) => {
        const tag = random() < 0.3 ? 'latest' : `r${round}-${index}`
        // What is pushed twice at once is one of the two.
        if (tag === 'latest') acknowledged.delete('latest')
        await client.push(tag, image)
        if (tag !== 'latest') acknowledged.set(tag, image.digest)
      }),
      ...old.map(async (tag) => {
        acknowledged.delete(tag)
        await delay(random() * 2000)
        await client.delete(tag)
        expect(await client.pull(tag)).toBeNull()
      }),
      skopeoPush(rawImage([base, bytes(random, 2_000_000)]), `skopeo-${round}`),
    ]
    strays = Array.from({ length: 4 }, () => bytes(random, 500_000))
    work.push(...strays.map(async (stray) => client.pushBlob(sha256(stray), stray)))
    const done = Promise.all(work)
    // Told of below, once the kills are over.
    done.catch(() => undefined)
    for (let kill = 0; kill < killsPerRound; kill += 1) {
      await delay(200 + random() * 1500)
      await server.kill9()
      await delay(random() * 300)
      await server.start()
    }
    await done
    stop.abort()
    await sweeping
    for (const [tag, digest] of acknowledged) expect(await client.pull(tag), tag).toBe(digest)
    // Of those in doubt too, what is there is whole.
    for (const tag of ['latest', `skopeo-${round}`]) await client.pull(tag)
    await letTimePass()
  }
  for (const tag of await tags()) await client.delete(tag)
  // Some have lost their tag to another.
  for (const digest of pushed) await client.delete(digest)
  await letTimePass()
  await sweep()
  expect(await leftovers()).toEqual({ rows: [], files: [] })
}, 600_000)

/** A push by a client of others; what it was told is acknowledged, too. It need not survive a kill, and the next one has to. */
async function skopeoPush(image: RawImage, tag: string): Promise<void> {
  const folder = join(server.home, tag)
  await mkdir(folder)
  await writeFile(join(folder, 'version'), 'Directory Transport Version: 1.1\n')
  await writeFile(join(folder, 'manifest.json'), image.manifest)
  for (const [digest, content] of image.blobs) await writeFile(join(folder, digest.replace('sha256:', '')), content)
  const { host } = new URL(server.api)
  const { OS_USERNAME: user = '', OS_PASSWORD: password = '' } = await server.env('demo')
  const options = ['--dest-tls-verify=false', '--preserve-digests', '--dest-creds', `${user}:${password}`]
  for (const deadline = Date.now() + 120_000; ; ) {
    try {
      await promisify(execFile)('skopeo', ['copy', ...options, `dir:${folder}`, `docker://${host}/demo/app:${tag}`])
      expect(await client.pull(tag)).toBe(image.digest)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await delay(200)
    }
  }
}

async function sweepOn(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweep().catch(() => delay(100))
    await delay(20)
  }
}

async function sweep(): Promise<void> {
  const answer = await fetch(`${server.api}/v1/image-store/sweep`, {
    method: 'POST',
    headers: { 'x-auth-token': admin.token },
  })
  expect(answer.status, await answer.text()).toBe(200)
}

async function tags(): Promise<string[]> {
  const answer = await fetch(`${server.api}/v2/demo/app/tags/list`, { headers: { 'x-auth-token': demo.token } })
  if (answer.status === 404) return []
  return ((await answer.json()) as { tags: string[] }).tags
}

/** As far as the image store can tell, two hours go by; the server is killed once more for that. */
async function letTimePass(): Promise<void> {
  await server.kill9()
  const db = new DatabaseSync(join(server.home, 'gantry.db'))
  const times = { blobs: 'used_at', blob_holds: 'used_at', manifest_holds: 'pushed_at', uploads: 'created_at' }
  for (const [table, column] of Object.entries(times)) {
    db.exec(`update ${table} set ${column} = ${column} - ${table === 'uploads' ? 24 * twoHours : twoHours}`)
  }
  db.close()
  const before = (Date.now() - twoHours) / 1000
  for (const file of await storedFiles()) await lutimes(file, before, before).catch(() => undefined)
  await server.start()
}

async function leftovers() {
  const db = new DatabaseSync(join(server.home, 'gantry.db'))
  const tables = ['images', 'manifests', 'manifest_parts', 'manifest_holds', 'blobs', 'blob_holds', 'uploads']
  const counts = tables.map((table) => [table, Number(db.prepare(`select count(*) as n from ${table}`).get()?.['n'])])
  db.close()
  return { rows: counts.filter(([, count]) => count !== 0), files: await storedFiles() }
}

async function storedFiles(): Promise<string[]> {
  const entries = await readdir(join(server.home, 'images'), { recursive: true, withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() ? [] : [join(entry.parentPath, entry.name)]))
}

function bytes(random: () => number, size: number): Buffer {
  const content = Buffer.alloc(size)
  for (let at = 0; at + 4 <= size; at += 4) content.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  return content
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A small linear congruential generator (Numerical Recipes' constants): repeatable from its seed. */
function seeded(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
