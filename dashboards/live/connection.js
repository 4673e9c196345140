/**
 * The WebSocket to /ws. Reconnects by itself, with growing pauses, and asks the feed for what it missed meanwhile.
 * A connection that says nothing for three heartbeats is taken for dead.
 */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const MISSED_HEARTBEATS = 3;

export function connect({ onMessage, onState }) {
  let socket = null;
  let pause = FIRST_PAUSE_MS;
  let silence = 0;
  let heartbeat = 10_000;
  let position = null;
  let filter = {};

  const subscribe = () => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    const message = { type: 'subscribe', topics: ['snapshot', 'events', 'health'], filter };
    if (position !== null) message.since = position;
    socket.send(JSON.stringify(message));
  };

  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => socket.close(), heartbeat * MISSED_HEARTBEATS);
  };

  const open = () => {
    onState('connecting');
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const path = new URL('ws', location.href).pathname;
    socket = new WebSocket(`${scheme}//${location.host}${path}`);
    listen();
    socket.addEventListener('message', (event) => {
      listen();
      const message = JSON.parse(event.data);
      if (message.type === 'hello') {
        heartbeat = message.heartbeat_ms;
        pause = FIRST_PAUSE_MS;
        onState('live');
        subscribe();
      }
      if (message.type === 'events' && message.events.length > 0) {
        position = { epoch: message.epoch, seq: message.events.at(-1).seq };
      }
      onMessage(message);
    });
    socket.addEventListener('close', () => {
      clearTimeout(silence);
      onState('lost');
      // Spread, so that a restarted monitor does not get all its viewers in the same moment.
      setTimeout(open, pause * (0.5 + Math.random()));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    });
  };

  open();
  return {
    /** Another filter for the events; what has passed is not asked for again. */
    setFilter(next) {
      filter = next;
      position = null;
      subscribe();
    },
  };
}
