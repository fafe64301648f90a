/** VNC counts its displays from this port on. */
export const FIRST_VNC_PORT = 5900
