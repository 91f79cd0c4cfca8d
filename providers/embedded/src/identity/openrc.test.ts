import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { renderOpenrc } from './openrc.ts'

test('a shell reads back exactly what was written, whatever the password', () => {
  const password = `it's $HOME "and" \`more\`\\`
  const text = renderOpenrc({ authUrl: 'http://h:1/identity/v3', userName: 'ann', projectName: 'demo', password })
  const script = `${text}\nprintf '%s|%s|%s' "$OS_AUTH_URL" "$OS_PASSWORD" "$OS_TOKEN"`
  const said = execFileSync('sh', ['-c', script], { env: { OS_TOKEN: 'stale' }, encoding: 'utf8' })
  expect(said).toBe(`http://h:1/identity/v3|${password}|`)
})
