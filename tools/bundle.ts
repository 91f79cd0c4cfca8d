/**
 * Makes one file each of the two programs that run all the time, `dist/server.mjs` and `dist/agent.mjs`: started from
 * these they need a third less memory and half the time than from their sources. Half a second; the old ones stay until the
 * new ones are whole.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const programs = ['server', 'agent'] as const
const dist = join(root, 'dist')

await mkdir(dist, { recursive: true })
await Promise.all(
  programs.map(async (name) => {
    const draft = join(dist, `${name}.${process.pid}.new`)
    await build({
      entryPoints: [join(root, 'apps', name, 'src/main.ts')],
      outfile: draft,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      minify: true,
      // Names in stack traces are worth their bytes.
      keepNames: true,
      // Some dependencies are CommonJS and ask for Node's own modules with require.
      // A name that is too long for the minifier to give to something else.
      banner: {
        js: 'import{createRequire as requireOfBanner}from"node:module";const require=requireOfBanner(import.meta.url);',
      },
      logLevel: 'error',
    })
    await rename(draft, join(dist, `${name}.mjs`))
  }),
)
await writeFile(join(dist, '.stamp'), '')
