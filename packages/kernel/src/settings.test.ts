import { expect, test } from 'vitest'
import { withSettings } from './settings.ts'

const flags = {
  listen: { type: 'string' },
  name: { type: 'string', multiple: true },
  'drain-time': { type: 'string' },
  quick: { type: 'boolean' },
  help: { type: 'boolean' },
} as const
const words = (argv: string[], env: Record<string, string> = {}, content: unknown = {}) =>
  withSettings({ argv, env, flags, readFile: async () => content })

test('what was typed goes before the environment, and that before the file', async () => {
  const file = { listen: 'file:1', 'drain-time': 5, name: ['a', 'b'], quick: true }
  const env = { GANTRY_LISTEN: 'env:1', GANTRY_DRAIN_TIME: '7' }
  expect(await words(['--listen', 'typed:1', '--config', 'x.yaml'], env, file)).toEqual([
    '--name=a',
    '--name=b',
    '--drain-time=7',
    '--quick',
    '--listen',
    'typed:1',
  ])
  expect(await words([], { GANTRY_CONFIG: 'x.yaml', GANTRY_NAME: 'c, d', GANTRY_QUICK: 'no' }, file)).toEqual([
    '--listen=file:1',
    '--name=c',
    '--name=d',
    '--drain-time=5',
  ])
  expect(await words(['--config=x.yaml'], {}, null)).toEqual([])
})

test('a file that cannot be meant so is told what is wrong with it', async () => {
  const told = (content: unknown) => words(['--config', 'x.yaml'], {}, content)
  await expect(told(['listen'])).rejects.toThrow('x.yaml must hold lines of "name: value"')
  await expect(told({ listne: 'a:1' })).rejects.toThrow('x.yaml: there is no option "listne"; --help lists them.')
  await expect(told({ listen: ['a:1'] })).rejects.toThrow('x.yaml: listen must be a text or a number.')
  await expect(told({ quick: 'perhaps' })).rejects.toThrow('x.yaml: quick must be true or false, not "perhaps".')
})
