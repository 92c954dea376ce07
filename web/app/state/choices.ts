/** What the person had switched on, kept over a refresh of the tab, so that a refresh never opens a camera. */
export interface Choices {
  audio: boolean;
  video: boolean;
}

type Store = Pick<Storage, 'getItem' | 'setItem'>;
const key = (handle: string): string => `anteroom.media.${handle}`;

export function saveChoices(store: Store, handle: string, { audio, video }: Choices): void {
  store.setItem(key(handle), `${Number(audio)}${Number(video)}`);
}

/** undefined: this tab was never inside. */
export function loadChoices(store: Store, handle: string): Choices | undefined {
  const saved = store.getItem(key(handle));
  if (saved === null) return undefined;
  return { audio: saved.startsWith('1'), video: saved[1] === '1' };
}
