import type { ContainerView } from '@gantry/facade-native/views'
import { Group, NumberInput, Text, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { showContainer } from '../../api/container-list.ts'
import { containerPath } from '../../api/containers.ts'
import { FormDialog, numberOf, textOf } from '../../parts/dialogs.tsx'

interface DialogProps {
  readonly container: ContainerView
  readonly onClose: () => void
}

/** Calls, and shows the container that comes back. */
function useChange({ id }: ContainerView) {
  const client = useQueryClient()
  return async (path: string, options: Parameters<typeof call>[1]) => {
    const view = await call<ContainerView>(`${containerPath(id)}${path}`, options)
    showContainer(client, view)
  }
}

export function RenameDialog({ container, onClose }: DialogProps) {
  const change = useChange(container)
  const submit = (form: FormData) => change('/rename', { method: 'POST', body: { name: textOf(form, 'name') } })
  return (
    <FormDialog title={`Rename ${container.name}`} verb="Rename" nouns={[]} onClose={onClose} onSubmit={submit}>
      <TextInput
        name="name"
        label="New name"
        description="Letters, digits, _ . and -"
        defaultValue={container.name}
        pattern="[a-zA-Z0-9][a-zA-Z0-9_.\-]+"
        maxLength={255}
        required
        data-autofocus
      />
    </FormDialog>
  )
}

export function ResizeDialog({ container, onClose }: DialogProps) {
  const change = useChange(container)
  const submit = (form: FormData) => {
    const body = { cpu: numberOf(form, 'cpu'), memory: numberOf(form, 'memory') }
    return change('', { method: 'PATCH', body })
  }
  return (
    <FormDialog title={`Resize ${container.name}`} verb="Resize" nouns={['quota']} onClose={onClose} onSubmit={submit}>
      <Text size="sm">The new limits hold at once, without a restart.</Text>
      <Group grow align="flex-start">
        <NumberInput
          name="cpu"
          label="CPU"
          description="Cores"
          defaultValue={container.cpu}
          min={0.01}
          step={0.5}
          decimalScale={2}
          required
          data-autofocus
        />
        <NumberInput
          name="memory"
          label="Memory"
          description="MiB"
          defaultValue={container.memory}
          min={4}
          step={64}
          allowDecimal={false}
          required
        />
      </Group>
    </FormDialog>
  )
}

export function SnapshotDialog({ container, onClose }: DialogProps) {
  const submit = (form: FormData) => {
    const tag = textOf(form, 'tag')
    const body = { repository: textOf(form, 'repository'), ...(tag !== undefined && { tag }) }
    return call(`${containerPath(container.id)}/commit`, { method: 'POST', body })
  }
  return (
    <FormDialog
      title={`Snapshot of ${container.name}`}
      verb="Save as image"
      nouns={['image']}
      onClose={onClose}
      onSubmit={submit}
    >
      <Text size="sm">
        Its files become an image of the project; what is in volumes is not part of it. It is among the images at once,
        and can be used when its size is known.
      </Text>
      <TextInput
        name="repository"
        label="Name of the image"
        defaultValue={container.name.toLowerCase()}
        maxLength={255}
        required
        data-autofocus
      />
      <TextInput name="tag" label="Tag" defaultValue="latest" maxLength={128} />
    </FormDialog>
  )
}

export function RebuildDialog({ container, onClose }: DialogProps) {
  const change = useChange(container)
  const submit = (form: FormData) => {
    const image = textOf(form, 'image')
    return change('/rebuild', { method: 'POST', query: { image } })
  }
  return (
    <FormDialog title={`Rebuild ${container.name}`} verb="Rebuild" nouns={[]} onClose={onClose} onSubmit={submit}>
      <Text size="sm">
        It is made anew under the same name, with the same addresses and volumes. What it wrote outside of its volumes
        is lost.
      </Text>
      <TextInput name="image" label="Image" defaultValue={container.image} maxLength={512} required data-autofocus />
    </FormDialog>
  )
}
