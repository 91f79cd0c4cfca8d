import { Checkbox, Group, NativeSelect, NumberInput, SimpleGrid, TextInput } from '@mantine/core'
import type { PairDraft, Restart } from './draft.ts'
import type { FieldsProps } from './launch.tsx'
import { Rows } from './rows.tsx'
import { Section } from './section.tsx'

/** What it runs, with which environment, and what happens when it ends. */
export function RunFields(props: FieldsProps) {
  const { draft, problems, onChange } = props
  return (
    <>
      <Section title="Process">
        <TextInput
          label="Command"
          description="With quotes as in a shell; left empty: what the image says"
          value={draft.command}
          onChange={(event) => onChange({ command: event.currentTarget.value })}
          error={problems.command}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          autoComplete="off"
          spellCheck={false}
        />
        <Pairs
          what="variable"
          pairs={draft.environment}
          problem={problems.environment}
          onChange={(environment) => onChange({ environment })}
        />
        <Checkbox
          label="Interactive: with a terminal to attach to"
          checked={draft.interactive}
          onChange={(event) => onChange({ interactive: event.currentTarget.checked })}
        />
      </Section>
      <Section title="When it ends">
        <EndFields {...props} />
      </Section>
      <Section title="Labels">
        <Pairs
          what="label"
          pairs={draft.labels}
          problem={problems.labels}
          onChange={(labels) => onChange({ labels })}
        />
      </Section>
    </>
  )
}

function EndFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <NativeSelect
          label="Restart it"
          value={draft.restart}
          onChange={(event) => onChange({ restart: event.currentTarget.value as Restart })}
          error={problems.restart}
          data={[
            { value: 'no', label: 'never' },
            { value: 'always', label: 'always' },
            { value: 'unless-stopped', label: 'unless it was stopped' },
            { value: 'on-failure', label: 'if it failed' },
          ]}
        />
        {draft.restart === 'on-failure' && (
          <NumberInput
            label="At most so often"
            placeholder="without end"
            value={draft.retries}
            onChange={(retries) => onChange({ retries: String(retries) })}
            error={problems.retries}
            min={0}
            allowDecimal={false}
          />
        )}
      </SimpleGrid>
      <Checkbox
        label="Remove it once it has ended"
        checked={draft.autoRemove}
        onChange={(event) => onChange({ autoRemove: event.currentTarget.checked })}
        error={problems.autoRemove}
      />
    </>
  )
}

interface PairsProps {
  readonly what: 'variable' | 'label'
  readonly pairs: readonly PairDraft[]
  readonly problem: string | undefined
  readonly onChange: (pairs: readonly PairDraft[]) => void
}

function Pairs({ what, pairs, problem, onChange }: PairsProps) {
  return (
    <Rows
      rows={pairs}
      fresh={{ key: '', value: '' }}
      add={`Add a ${what}`}
      remove={`Remove the ${what}`}
      problem={problem}
      onChange={onChange}
      row={(pair, change) => (
        <Group grow gap="xs">
          <TextInput
            aria-label={`Name of the ${what}`}
            placeholder="name"
            value={pair.key}
            onChange={(event) => change({ ...pair, key: event.currentTarget.value.trim() })}
          />
          <TextInput
            aria-label={`Value of the ${what}`}
            placeholder="value"
            value={pair.value}
            onChange={(event) => change({ ...pair, value: event.currentTarget.value })}
          />
        </Group>
      )}
    />
  )
}
