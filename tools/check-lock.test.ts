import { expect, test } from 'vitest'
import { missingFromLock } from './check-lock.ts'

test('an optional package without an entry, or with a range for a version, lacks; its platform is read from its name', () => {
  const vite = {
    optionalDependencies: { 'napi-windows-time': '^0.1.0', '@x/y-linux-x64-musl': '1.2.3', there: '~2.0.0' },
  }
  const packages = {
    'node_modules/vite': { ...vite, dev: true },
    'node_modules/napi-windows-time': { version: '^0.1.0' },
    'node_modules/there': { version: '2.0.4' },
  }
  expect(missingFromLock({ packages })).toEqual({
    'node_modules/napi-windows-time': { version: '0.1.0', os: ['win32'], dev: true, optional: true },
    'node_modules/@x/y-linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      libc: ['musl'],
      os: ['linux'],
      dev: true,
      optional: true,
    },
  })
})
