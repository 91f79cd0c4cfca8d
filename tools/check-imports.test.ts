import { describe, expect, test } from 'vitest'
import { importProblems, importsOf } from './check-imports.ts'

const manifest = (folder: string, name: string, more: object = {}) => ({
  path: `${folder}/package.json`,
  text: JSON.stringify({ name, exports: './src/index.ts', ...more }),
})

const manifests = [
  manifest('packages/kernel', '@gantry/kernel'),
  manifest('packages/model', '@gantry/model', { dependencies: { '@gantry/kernel': '*' } }),
  manifest('control', '@gantry/control', {
    exports: { '.': './src/index.ts', './testing': './src/testing.ts' },
    dependencies: { '@gantry/model': '*' },
  }),
  manifest('store', '@gantry/store', { dependencies: { '@gantry/control': '*' } }),
  manifest('facades/zun', '@gantry/facade-zun', {
    dependencies: { '@gantry/control': '*', '@gantry/facade-native': '*', '@gantry/store': '*' },
  }),
  manifest('facades/native', '@gantry/facade-native', { devDependencies: { '@gantry/control': '*' } }),
  manifest('providers/own', '@gantry/providers-own', { devDependencies: { '@gantry/store': '*' } }),
  manifest('apps/server', '@gantry/server', { dependencies: { '@gantry/store': '*', '@gantry/facade-zun': '*' } }),
]

const check = (path: string, text: string) => importProblems([{ path, text }], manifests)

describe('import directions', () => {
  test.each([
    ['an app wires everything', 'apps/server/src/a.ts', "import { x } from '@gantry/store'"],
    ['a façade calls control', 'facades/zun/src/a.ts', "import type { Control } from '@gantry/control'"],
    ['a declared second entry', 'store/src/a.test.ts', "import { x } from '@gantry/control/testing'"],
    ['a file of the same workspace', 'control/src/a/b.ts', "import { x } from '../c.ts'"],
    ['a type of a development dependency', 'facades/native/src/a.ts', "import type { C } from '@gantry/control'"],
    ['a builtin', 'control/src/a.ts', "import { join } from 'node:path'"],
    ["a provider's test on the real store", 'providers/own/src/a.test.ts', "import { x } from '@gantry/store'"],
    ['a word in a comment', 'control/src/a.ts', "/* import { x } from '@gantry/store' */\n// import '@gantry/store'"],
  ])('%s is fine', (_, path, text) => {
    expect(check(path, text)).toEqual([])
  })

  test.each([
    ['a façade imports another', 'facades/zun/src/a.ts', "import { x } from '@gantry/facade-native'", /may not import/],
    ['a façade imports the store', 'facades/zun/src/a.ts', "export { x } from '@gantry/store'", /may not import/],
    ['a provider imports the store', 'providers/own/src/a.ts', "import { x } from '@gantry/store'", /may not import/],
    ["a façade's test imports the store", 'facades/zun/src/a.test.ts', "import '@gantry/store'", /may not import/],
    ['a package imports upwards', 'packages/kernel/src/a.ts', "import '@gantry/model'", /may not import/],
    ['an import at run time', 'facades/zun/src/a.ts', "await import('@gantry/store')", /may not import/],
    ['many lines', 'facades/zun/src/a.ts', "import {\n  a,\n  b,\n} from '@gantry/store'", /may not import/],
    ['a path into another workspace', 'control/src/a.ts', "import { x } from '../../store/src/x.ts'", /leaves/],
    ['an undeclared workspace', 'store/src/a.ts', "import { x } from '@gantry/model'", /not declared/],
    ['an undeclared package', 'store/src/a.ts', "import { x } from 'kysely'", /not declared/],
    [
      'a value of a development dependency',
      'facades/native/src/a.ts',
      "import { c } from '@gantry/control'",
      /not declared/,
    ],
    ['a deep path', 'store/src/a.ts', "import { x } from '@gantry/control/src/x.ts'", /past the entry/],
    ['the clock', 'control/src/a.ts', 'const now = Date.now()', /Clock/],
  ])('%s is refused', (_, path, text, problem) => {
    expect(check(path, text)).toEqual([expect.stringMatching(problem)])
  })
})

test('imports of every form are found', () => {
  const text =
    "import a from 'a'\nimport 'b'\nexport * from 'c'\nconst d = await import('d')\nimport type { E } from 'e'\n"
  expect(importsOf(text).map(({ target }) => target)).toEqual(['a', 'b', 'c', 'd', 'e'])
})
