import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FieldRules, fieldRules } from '@gantry/control'

const titles: Readonly<Record<keyof typeof fieldRules, string>> = {
  hostConfig: '`HostConfig` of a create, and the body of an update',
  config: 'Beside `HostConfig` in a create',
  endpoint: '`NetworkingConfig.EndpointsConfig.*`, and `EndpointConfig` of a connect',
  exec: 'The body of an exec',
  build: 'The query of a build',
  volume: 'The body of a volume create',
  network: 'The body of a network create',
  registry: 'Registries, wherever an image is named',
}

const begin = '<!-- made by `node tools/docker-policy-table.ts` from control/src/policy; do not edit from here on -->'

/** The part of docs/api/docker-policy.md that the rules themselves say. */
export function policyTable(): string {
  const sections = Object.entries(titles).map(([name, title]) => {
    const rules = Object.entries<FieldRules>(fieldRules).find(([each]) => each === name)?.[1] ?? {}
    const rows = Object.keys(rules)
      .sort()
      .map((field) => rowOf(field, rules))
    return [`### ${title}`, '', '| Field | | Why | Granted by |', '|---|---|---|---|', ...rows, ''].join('\n')
  })
  return [begin, '', ...sections].join('\n')
}

function rowOf(field: string, rules: FieldRules): string {
  const rule = rules[field]
  if (!rule) return ''
  const words = rule.lifts.map((word) => `\`${word}\``).join(', ')
  return `| \`${field}\` | ${rule.verdict} | ${rule.why.replaceAll('|', '\\|')} | ${words} |`
}

function main(): void {
  const path = join(import.meta.dirname, '..', 'docs', 'api', 'docker-policy.md')
  const found = readFileSync(path, 'utf8')
  const [written = ''] = found.split(begin, 1)
  const wanted = written + policyTable()
  if (!process.argv.includes('--check')) return writeFileSync(path, wanted)
  if (found === wanted) return
  console.error(
    'docs/api/docker-policy.md is not what control/src/policy says; run `node tools/docker-policy-table.ts`.',
  )
  process.exitCode = 1
}

if (import.meta.main) main()
