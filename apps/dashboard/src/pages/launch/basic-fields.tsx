import { Autocomplete, Group, NativeSelect, NumberInput, SimpleGrid, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { registriesQuery, zonesQuery } from '../../api/lists.ts'
import { imagesQuery } from '../../api/nouns.ts'
import { bytesText, mebibytesText } from '../../parts/amounts.ts'
import { ownSize, sizes } from './draft.ts'
import type { FieldsProps } from './launch.tsx'
import { Section } from './section.tsx'

/** Image, name, number and size. */
export function BasicFields(props: FieldsProps) {
  return (
    <>
      <Section title="What">
        <ImageField {...props} />
        <NameFields {...props} />
      </Section>
      <Section title="Size">
        <SizeFields {...props} />
      </Section>
    </>
  )
}

function ImageField({ draft, problems, onChange }: FieldsProps) {
  const images = useQuery(imagesQuery).data ?? []
  const registries = useQuery(registriesQuery).data ?? []
  const runnable = images.filter(({ kind, status }) => kind !== 'artifact' && status === 'active')
  const weights = new Map(runnable.map(({ name, bytes }) => [name, bytes === null ? '' : bytesText(bytes)]))
  const weight = weights.get(draft.image)
  return (
    <Group align="start" grow preventGrowOverflow={false}>
      <Autocomplete
        label="Image"
        description={weight === undefined ? 'One of the project, or of a registry: nginx:1' : `It weighs ${weight}.`}
        value={draft.image}
        onChange={(image) => onChange({ image })}
        error={problems.image}
        data={[...weights.keys()]}
        renderOption={({ option }) => (
          <Group justify="space-between" w="100%" gap="xs">
            <Text size="sm">{option.value}</Text>
            <Text size="xs" c="dimmed">
              {weights.get(option.value)}
            </Text>
          </Group>
        )}
        limit={50}
        required
        withAsterisk={false}
      />
      {registries.length > 0 && (
        <NativeSelect
          label="Registry"
          description="With the password kept for it"
          value={draft.registry}
          onChange={(event) => onChange({ registry: event.currentTarget.value })}
          error={problems.registry}
          data={[
            { value: '', label: 'the one in the name' },
            ...registries.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      )}
    </Group>
  )
}

function NameFields({ draft, problems, onChange }: FieldsProps) {
  const zones = useQuery(zonesQuery).data ?? []
  return (
    <SimpleGrid cols={{ base: 1, sm: 3 }}>
      <TextInput
        label="Name"
        description={Number(draft.count) > 1 ? 'Each gets a number' : 'Left empty: one is made up'}
        value={draft.name}
        onChange={(event) => onChange({ name: event.currentTarget.value.trim() })}
        error={problems.name}
        autoComplete="off"
      />
      <NumberInput
        label="Count"
        description="1 to 1,000 alike"
        value={draft.count}
        onChange={(count) => onChange({ count: String(count) })}
        error={problems.count}
        min={1}
        max={1000}
        clampBehavior="none"
        allowDecimal={false}
      />
      <NativeSelect
        label="Availability zone"
        description="Where its host is"
        value={draft.zone}
        onChange={(event) => onChange({ zone: event.currentTarget.value })}
        error={problems.zone}
        data={[{ value: '', label: 'any' }, ...zones]}
      />
    </SimpleGrid>
  )
}

function SizeFields({ draft, problems, onChange }: FieldsProps) {
  const choose = (id: string) => {
    const size = sizes.find((each) => each.id === id)
    onChange({ size: id, ...(size && { cpu: String(size.cpu), memory: String(size.memory) }) })
  }
  return (
    <>
      <NativeSelect
        label="Size"
        value={draft.size}
        onChange={(event) => choose(event.currentTarget.value)}
        data={[
          ...sizes.map(({ id, cpu, memory }) => ({
            value: id,
            label: `${id}: ${cpu} cores, ${mebibytesText(memory)}`,
          })),
          { value: ownSize, label: 'of your own' },
        ]}
      />
      <SimpleGrid cols={{ base: 1, xs: 3 }}>
        <NumberInput
          label="Processor cores"
          value={draft.cpu}
          onChange={(cpu) => onChange({ cpu: String(cpu), size: ownSize })}
          error={problems.cpu}
          step={0.25}
          min={0}
        />
        <NumberInput
          label="Memory, MiB"
          value={draft.memory}
          onChange={(memory) => onChange({ memory: String(memory), size: ownSize })}
          error={problems.memory}
          step={64}
          min={0}
          allowDecimal={false}
        />
        <NumberInput
          label="Disk, GiB"
          value={draft.disk}
          onChange={(disk) => onChange({ disk: String(disk) })}
          error={problems.disk}
          placeholder="none counted"
          min={0}
          allowDecimal={false}
        />
      </SimpleGrid>
    </>
  )
}
