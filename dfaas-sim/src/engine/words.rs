use dfaas_control::Message;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Word {
    pub from: u32,
    pub to: u32,
    pub message: Message,
}

/// Messages on their way; places are used again.
#[derive(Debug, Default)]
pub(super) struct Words {
    all: Vec<Option<Word>>,
    free: Vec<u32>,
}

impl Words {
    pub(super) fn add(&mut self, word: Word) -> u32 {
        if let Some(number) = self.free.pop() {
            self.all[number as usize] = Some(word);
            return number;
        }
        self.all.push(Some(word));
        (self.all.len() - 1) as u32
    }

    pub(super) fn take(&mut self, number: u32) -> Option<Word> {
        self.free.push(number);
        self.all[number as usize].take()
    }
}

/// Bytes of a message as agents write it, without the frame around it.
pub(super) fn size(message: &Message) -> u64 {
    postcard::experimental::serialized_size(message).map_or(0, |size| size as u64)
}
