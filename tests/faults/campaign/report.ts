import { readFile, writeFile } from 'node:fs/promises'
import type { Suffered } from './faults.ts'
import type { FinalState, Operation, Violation } from './history.ts'

export interface Campaign {
  readonly seed: number
  readonly seconds: number
  readonly setting: string
  readonly history: readonly Operation[]
  readonly suffered: readonly Suffered[]
  readonly final: FinalState
  readonly violations: readonly Violation[]
  /** Of coming to rest after everything was mended. */
  readonly restSeconds: number
}

const begin = '<!-- campaign: written by `npm run test:faults -- --write` -->'
const end = '<!-- /campaign -->'

/** What happened, as Markdown. Pure. */
export function reportOf(campaign: Campaign): string {
  const { seed, seconds, setting, history, suffered, final, violations, restSeconds } = campaign
  const containers = final.projects.flatMap((project) => project.containers)
  const states = [...Map.groupBy(containers, ({ status }) => status)].map(([status, all]) => `${all.length} ${status}`)
  return [
    ...violationRows(violations, history),
    `${setting}; ${seconds.toFixed(0)} s of faults, seed ${seed}. ${history.length} requests, ${suffered.length} faults, ` +
      `**${violations.length} violations**. At rest ${restSeconds.toFixed(1)} s after everything was mended: ` +
      `${containers.length} containers (${states.join(', ') || 'none'}).`,
    '',
    '| request | done | refused | no answer |',
    '|---|--:|--:|--:|',
    ...requestRows(history),
    '',
    '| fault | times |',
    '|---|--:|',
    ...counted(suffered.map(({ kind }) => kind)).map(([kind, count]) => `| ${kind} | ${count} |`),
    '',
  ].join('\n')
}

/** First, because what keeps a failure may keep no more than its beginning; each with what was asked of its container. */
function violationRows(violations: readonly Violation[], history: readonly Operation[]): string[] {
  if (violations.length === 0) return []
  const rows = violations.map(({ kind, text, about }) => {
    const asked = history.filter(({ project, name, verb }) => `${project}/${name}` === about && verb !== 'look')
    return `- ${kind}: ${text}${asked.length > 0 ? ` Asked: ${asked.map(brief).join(', ')}.` : ''}`
  })
  return ['Violations:', '', ...rows, '']
}

function brief({ verb, api, status, from, to }: Operation): string {
  return `${verb} (${api}) ${status ?? 'no answer'} ${from}–${to} ms`
}

function requestRows(history: readonly Operation[]): string[] {
  const groups = Map.groupBy(history, ({ verb, api }) => `${verb} (${api})`)
  return [...groups]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([title, all]) => {
      const count = (outcome: string) => all.filter((one) => one.outcome === outcome).length
      return `| ${title} | ${count('done')} | ${count('refused')} | ${count('unknown')} |`
    })
}

function counted(words: readonly string[]): [string, number][] {
  return [...Map.groupBy(words, (word) => word)]
    .map(([word, all]): [string, number] => [word, all.length])
    .sort(([a], [b]) => a.localeCompare(b))
}

/** Puts it in the place that the document keeps for it. */
export async function writeReport(file: string, text: string): Promise<void> {
  const document = await readFile(file, 'utf8')
  const [before, rest] = document.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${file} has no place for the campaign (${begin}).`)
  await writeFile(file, `${before}${begin}\n${text}\n${end}${after}`)
}
