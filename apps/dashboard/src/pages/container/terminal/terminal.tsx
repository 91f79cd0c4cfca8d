import type { ContainerView } from '@gantry/facade-native/views'
import { Autocomplete, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { can } from '../../../api/containers.ts'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { PasteDialog } from './paste-dialog.tsx'
import type { Target } from './session.ts'
import { type TerminalState, useTerminal } from './use-terminal.ts'

/** A shell in the container, or its own terminal. */
export function TerminalTab({ container }: { readonly container: ContainerView }) {
  const [wasThere, setWasThere] = useState(false)
  const isThere = can('execute', container)
  // What it said last stays to be read after it has ended.
  if (isThere && !wasThere) setWasThere(true)
  if (isThere || wasThere) return <Console container={container} />
  return (
    <Empty title="There is nothing to connect to">
      It is {container.status}. Start it to run a command in it; what it wrote is in its logs.
    </Empty>
  )
}

function Console({ container }: { readonly container: ContainerView }) {
  const [target, setTarget] = useState<Target>({ kind: 'exec', command: '/bin/sh' })
  const terminal = useTerminal(container, target)
  return (
    <Stack gap="xs">
      <Choice container={container} target={target} onChoose={setTarget} />
      {terminal.error && (
        <Failure error={terminal.error} what="The session could not be opened" onRetry={terminal.again} />
      )}
      <div
        ref={terminal.place}
        role="region"
        aria-label="Terminal"
        style={{ height: 'max(280px, calc(100dvh - 330px))', background: '#11161b', padding: 6, borderRadius: 4 }}
      />
      <Group gap="xs" justify="space-between">
        <Text size="xs" c="dimmed" role="status">
          {sentenceOf(terminal.state, target)}
        </Text>
        {terminal.state.kind === 'ended' && can('execute', container) && (
          <Button size="xs" onClick={terminal.again}>
            Connect again
          </Button>
        )}
      </Group>
      {terminal.doubt !== null && (
        <PasteDialog text={terminal.doubt} onPaste={terminal.pasteDoubt} onClose={terminal.dropDoubt} />
      )}
    </Stack>
  )
}

function sentenceOf(state: TerminalState, target: Target): string {
  switch (state.kind) {
    case 'opening':
      return 'Connecting…'
    case 'open':
      return target.kind === 'attach'
        ? 'Connected to the container’s own terminal. To leave, choose another tab: it goes on.'
        : `Connected: ${target.command}`
    case 'ended':
      return state.sentence
  }
}

interface ChoiceProps {
  readonly container: ContainerView
  readonly target: Target
  readonly onChoose: (target: Target) => void
}

function Choice({ container, target, onChoose }: ChoiceProps) {
  const [command, setCommand] = useState('/bin/sh')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (command.trim() !== '') onChoose({ kind: 'exec', command: command.trim() })
  }
  return (
    <Group gap="xs">
      {container.interactive && (
        <SegmentedControl
          size="xs"
          aria-label="What to connect to"
          data={[
            { value: 'exec', label: 'A new command' },
            { value: 'attach', label: 'Its own terminal' },
          ]}
          value={target.kind}
          onChange={(kind) => onChoose(kind === 'attach' ? { kind: 'attach' } : { kind: 'exec', command })}
        />
      )}
      {target.kind === 'exec' && (
        <form onSubmit={submit}>
          <Group gap="xs" wrap="nowrap">
            <Autocomplete
              size="xs"
              aria-label="Command"
              data={['/bin/sh', '/bin/bash', '/bin/ash', 'sh -l']}
              value={command}
              onChange={setCommand}
            />
            <Button size="xs" variant="default" type="submit">
              Run
            </Button>
          </Group>
        </form>
      )}
    </Group>
  )
}
