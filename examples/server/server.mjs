import { io } from "./io.mjs";

io.on("connection", (socket) => {
  socket.on("join", (room) => socket.join(room)); // decide here who may join what
});
