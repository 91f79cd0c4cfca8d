/**
 * Makes one file of each program, which runs alone on a plain Node 24 or later, and the dashboard's page: `node tools/bundle.ts [--out DIR]
 * [--version TEXT]`, into `dist` unless told. Started from these the programs need a third less memory and half the time than from their
 * sources. A second, and some more where the page has changed; the old ones stay until the new ones are whole.
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Names of the files, and what each begins with. */
export const programs = {
  server: 'apps/server/src/main.ts',
  agent: 'apps/agent/src/main.ts',
  gantry: 'apps/cli/src/main.ts',
  kuryr: 'apps/agent/src/kuryr.ts',
  fuxi: 'apps/agent/src/fuxi.ts',
} as const

export interface BundleOptions {
  readonly out: string
  /** That of package.json unless told. */
  readonly version?: string
  readonly only?: readonly (keyof typeof programs)[]
  readonly plugins?: readonly Plugin[]
  /** So unless told; a profile is easier to read without. */
  readonly minify?: boolean
}

export async function bundle({ out, version, only, plugins = [], minify = true }: BundleOptions): Promise<void> {
  await mkdir(out, { recursive: true })
  const stamps = version === undefined ? [] : [stamp(version)]
  const wanted = Object.entries(programs).filter(([name]) => only?.some((one) => one === name) ?? true)
  await Promise.all(
    wanted.map(async ([name, entry]) => {
      const draft = join(out, `${name}.${process.pid}.new`)
      await build({
        entryPoints: [join(root, entry)],
        outfile: draft,
        bundle: true,
        platform: 'node',
        format: 'esm',
        target: 'node24',
        minify,
        // Names in stack traces are worth their bytes.
        keepNames: true,
        // Parts of `pg` for other places than Node, looked for at run time and not missed.
        external: ['pg-native', 'pg-cloudflare'],
        // Some dependencies are CommonJS and ask for Node's own modules with require.
        // A name that is too long for the minifier to give to something else.
        banner: {
          js: 'import{createRequire as requireOfBanner}from"node:module";const require=requireOfBanner(import.meta.url);',
        },
        plugins: [...stamps, ...plugins],
        logLevel: 'error',
      })
      await rename(draft, join(out, `${name}.mjs`))
    }),
  )
}

function stamp(version: string): Plugin {
  return {
    name: 'version',
    setup(hooks) {
      const contents = JSON.stringify({ version })
      hooks.onLoad({ filter: /packages\/kernel\/package\.json$/ }, () => ({ contents, loader: 'json' }))
    },
  }
}

/** The page as files, into `out`; left as it is if none of its sources is newer. */
export async function buildDashboard(out: string): Promise<void> {
  const home = join(root, 'apps', 'dashboard')
  const made = await timeOf(join(out, 'index.html'))
  const sources = (await readdir(home, { recursive: true })).filter((name) => !name.startsWith('node_modules'))
  const times = await Promise.all(sources.map((name) => timeOf(join(home, name))))
  if (Math.max(...times, await timeOf(join(root, 'package-lock.json'))) < made) return
  const draft = `${out}.${process.pid}.new`
  // A process of its own: within a test NODE_ENV would make it React's larger build for developers.
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  // Vite builds one thing at a time in a folder; each of ours has an output of its own.
  const args = [vite, 'build', home, '--logLevel', 'error', '--outDir', draft, '--emptyOutDir', '--bypass-lock']
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_ENV: 'production' } })
  await rm(out, { recursive: true, force: true })
  await rename(draft, out)
}

/** Milliseconds; 0 for what is not there. */
function timeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' }, version: { type: 'string' } } })
  const out = resolve(values.out ?? join(root, 'dist'))
  const version = values.version === undefined ? {} : { version: values.version }
  await Promise.all([bundle({ out, ...version }), buildDashboard(join(out, 'dashboard'))])
  await writeFile(join(out, '.stamp'), '')
}
