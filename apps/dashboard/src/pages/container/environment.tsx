import { ActionIcon, Button, Code, CopyButton, Group, Table, Text } from '@mantine/core'
import { IconCheck, IconCopy, IconEye, IconEyeOff } from '@tabler/icons-react'
import { useState } from 'react'

/** Variables, whose values are hidden until asked for: many hold a password, and somebody may look over one's shoulder. */
export function Environment({ environment }: { readonly environment: Readonly<Record<string, string>> }) {
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set())
  const names = Object.keys(environment).sort()
  if (names.length === 0) return <Text size="sm">No variables.</Text>
  const isAll = names.every((name) => shown.has(name))
  const toggle = (name: string) =>
    setShown((known) => new Set(known.has(name) ? [...known].filter((one) => one !== name) : [...known, name]))
  return (
    <>
      <Table layout="fixed" verticalSpacing={4}>
        <Table.Tbody>
          {names.map((name) => (
            <Variable
              key={name}
              name={name}
              value={environment[name] ?? ''}
              isShown={shown.has(name)}
              onToggle={() => toggle(name)}
            />
          ))}
        </Table.Tbody>
      </Table>
      <Button size="xs" variant="default" mt="xs" onClick={() => setShown(new Set(isAll ? [] : names))}>
        {isAll ? 'Hide all values' : 'Show all values'}
      </Button>
    </>
  )
}

interface VariableProps {
  readonly name: string
  readonly value: string
  readonly isShown: boolean
  readonly onToggle: () => void
}

function Variable({ name, value, isShown, onToggle }: VariableProps) {
  const Eye = isShown ? IconEyeOff : IconEye
  return (
    <Table.Tr>
      <Table.Th scope="row" style={{ overflowWrap: 'anywhere' }}>
        <Text size="sm" ff="monospace">
          {name}
        </Text>
      </Table.Th>
      <Table.Td>
        <Group gap={4} wrap="nowrap" justify="space-between">
          {isShown ? (
            <Code style={{ overflowWrap: 'anywhere' }}>{value}</Code>
          ) : (
            <Text size="sm" aria-label="hidden">
              ••••••••
            </Text>
          )}
          <Group gap={0} wrap="nowrap">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`${isShown ? 'Hide' : 'Show'} the value of ${name}`}
              onClick={onToggle}
            >
              <Eye size={16} aria-hidden />
            </ActionIcon>
            <Copy name={name} value={value} />
          </Group>
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}

function Copy({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={copied ? `Copied the value of ${name}` : `Copy the value of ${name}`}
          onClick={copy}
        >
          {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
        </ActionIcon>
      )}
    </CopyButton>
  )
}
