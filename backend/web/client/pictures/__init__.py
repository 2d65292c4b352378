"""The picture of a link's preview in a chat: who asks and for how much, drawn by us from letters that we hold."""
