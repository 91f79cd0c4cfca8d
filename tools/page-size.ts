/**
 * How much script a browser must have before the dashboard can be used, and what each page adds: `node tools/page-size.ts [FOLDER]`. Fails
 * above the limit of docs/operate/dashboard.md.
 */
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** For any page, in bytes as sent (brotli). */
export const mostScript = 250_000

interface Chunk {
  readonly file: string
  readonly isEntry?: boolean
  readonly isDynamicEntry?: boolean
  readonly imports?: readonly string[]
}

export interface PageSize {
  readonly name: string
  /** With all that it needs before it runs; bytes of brotli. */
  readonly script: number
}

/** What must be there before one can do something; terminal, charts and the other tabs of a container come when they are opened. */
export function isPage({ name }: PageSize): boolean {
  return name === 'first' || /^src\/pages\/[^/]+\/[^/]+\.tsx$/.test(name)
}

/** Of the entry and of each page that is loaded later, from the manifest of the build in `folder`. */
export async function pageSizes(folder: string): Promise<PageSize[]> {
  const manifest = JSON.parse(await readFile(join(folder, '.vite', 'manifest.json'), 'utf8')) as Record<string, Chunk>
  const entry = Object.keys(manifest).find((key) => manifest[key]?.isEntry === true) ?? 'index.html'
  const size = async (keys: ReadonlySet<string>) => {
    const files = [...keys].map((key) => manifest[key]?.file ?? '')
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, `${file}.br`))).size))
    return sizes.reduce((sum, one) => sum + one, 0)
  }
  const first = reach(manifest, entry)
  const later = Object.keys(manifest).filter((key) => manifest[key]?.isDynamicEntry === true)
  const pages = later.map(async (key) => ({
    name: key,
    script: await size(new Set([...first, ...reach(manifest, key)])),
  }))
  return [{ name: 'first', script: await size(first) }, ...(await Promise.all(pages))]
}

function reach(manifest: Record<string, Chunk>, from: string, found = new Set<string>()): Set<string> {
  if (found.has(from)) return found
  found.add(from)
  for (const next of manifest[from]?.imports ?? []) reach(manifest, next, found)
  return found
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist/dashboard', import.meta.url)))
  const sizes = await pageSizes(folder)
  for (const { name, script } of sizes) console.log(`${(script / 1000).toFixed(1).padStart(7)} kB  ${name}`)
  const tooLarge = sizes.filter((size) => size.script > mostScript && isPage(size))
  if (tooLarge.length > 0) {
    console.error(`✗ over ${mostScript / 1000} kB: ${tooLarge.map(({ name }) => name).join(', ')}`)
    process.exitCode = 1
  }
}
