import { useSignal } from '@preact/signals';
import { Button } from './Button';

/** Copies a text and says so. The text itself stays selectable beside it where that matters. */
export function Copy({ text, label, done }: { text: string; label: string; done: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    copied.value = true;
  };
  return (
    <Button
      icon={copied.value ? 'check' : 'copy'}
      onPress={() => {
        copy().catch(() => {
          copied.value = false;
        });
      }}
    >
      <span role="status">{copied.value ? done : label}</span>
    </Button>
  );
}
