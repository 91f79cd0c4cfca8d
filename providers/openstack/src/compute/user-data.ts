import type { Boot } from '@gantry/control'
import type { NovaServers } from './nova-settings.ts'

/**
 * What cloud-init does at the server's first boot: it writes the token where only root reads it, runs the operator's lines, and starts
 * the agent as a service. JSON is YAML, so that nothing in it needs to be quoted by hand. Pure.
 */
export function userData({ name, token, labels }: Boot, { join, setup = [], ...rest }: NovaServers): string {
  const { agent = '/usr/local/bin/gantry agent', agent_options: further = [] } = rest
  const marks = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`])
  const options = ['--join', join.join(','), '--name', name, '--token-file', tokenFile, ...marks, ...further]
  const files = [
    { path: tokenFile, permissions: '0600', content: `${token}\n` },
    {
      path: '/etc/systemd/system/gantry-agent.service',
      permissions: '0644',
      content: unit(`${agent} ${options.join(' ')}`),
    },
  ]
  const lines = [...setup, 'systemctl daemon-reload', 'systemctl enable --now gantry-agent.service']
  return `#cloud-config\n${JSON.stringify({ write_files: files, runcmd: lines.map((line) => ['sh', '-c', line]) }, null, 1)}\n`
}

const tokenFile = '/etc/gantry/join-token'

function unit(command: string): string {
  return `[Unit]
Description=Gantry agent
After=network-online.target docker.service
Wants=network-online.target

[Service]
ExecStart=${command}
Restart=always
RestartSec=2
KillMode=process

[Install]
WantedBy=multi-user.target
`
}
