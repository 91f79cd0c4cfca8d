import type { Home } from './home.ts'
import { isBesideOpenStack } from './operator.ts'
import type { Sample } from './sample.ts'
import type { UpState } from './state.ts'

/** What the sample container did, as lines for a person. */
export function sampleLines(sample: Sample): string[] {
  const what = sample.fresh ? 'Container hello (project demo)' : 'Container hello (project demo, from an earlier start)'
  const state = `${what}: ${sample.status}${sample.reason && ` - ${sample.reason}`}`
  return [state, ...sample.logs.map((line) => `  │ ${line}`)]
}

/** And how it is stopped. */
const howItRuns = {
  here: 'Ctrl-C stops it; containers keep running.',
  elsewhere: 'It runs in another terminal; Ctrl-C there or `npx gantry down` stops it.',
  background: 'It runs in the background; `npx gantry down` stops it.',
}

/** Where everything is and what to try first. */
export function summaryLines(
  home: Home,
  state: Pick<UpState, 'api' | 'agents' | 'docker' | 'dockerTls' | 'engine'>,
  runs: keyof typeof howItRuns,
  title = 'Gantry is up.',
): string[] {
  const beside = isBesideOpenStack(home)
  const row = (name: string, value: string): string => `  ${name.padEnd(14)}${value}`
  return [
    '',
    title,
    row('Dashboard', `${state.api}/ui/`),
    ...(beside ? [] : [row('Keystone v3', `${state.api}/identity/v3`)]),
    row('Containers v1', `${state.api}/container/v1`),
    row('Native API', `${state.api}/v1   (OpenAPI: ${state.api}/openapi.json)`),
    row('Docker API', `${state.docker}   (TLS: ${state.dockerTls})`),
    row('Registry', `${new URL(state.api).host}/<project>/<image>   (docker login ${new URL(state.api).host})`),
    row('Agents', state.agents),
    row('Engine', `${state.engine.kind} ${state.engine.version}, unix://${state.engine.socket}`),
    row(
      'Credentials',
      beside
        ? `those of the cloud in ${home.openstack}`
        : `${home.openrc} (user demo), ${home.openrcAdmin} (administrator)`,
    ),
    row('Logs', home.logs),
    '',
    ...(beside ? nextBesideOpenStack : nextEmbedded(home)),
    '',
    howItRuns[runs],
  ]
}

function nextEmbedded(home: Home): string[] {
  return [
    'Try next:',
    `  . ${home.openrc}`,
    '  npx gantry exec hello ps',
    '  npx gantry docker ps',
    '  openstack appcontainer run --name first busybox:latest ping -c 4 127.0.0.1',
    '    (the openstack command: apt-get install python3-openstackclient python3-zunclient)',
  ]
}

const nextBesideOpenStack = [
  'Try next:',
  '  npx gantry doctor --openstack     # the cloud, its catalog and its agents',
  '  . openrc                          # of a user of the cloud, who has a network',
  '  npx gantry run --name first busybox ping -c 4 127.0.0.1',
  '  openstack appcontainer list       # apt-get install python3-openstackclient python3-zunclient',
]
