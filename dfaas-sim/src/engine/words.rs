use crate::techniques::Word;

/// A word on its way.
#[derive(Debug)]
pub(super) struct Letter {
    pub from: u32,
    pub to: u32,
    /// Words of one sender are numbered in the order in which they were said.
    pub number: u64,
    pub word: Word,
}

/// Words on their way; places are used again.
#[derive(Debug, Default)]
pub(super) struct Letters {
    all: Vec<Option<Letter>>,
    free: Vec<u32>,
}

impl Letters {
    pub(super) fn add(&mut self, letter: Letter) -> u32 {
        if let Some(place) = self.free.pop() {
            self.all[place as usize] = Some(letter);
            return place;
        }
        self.all.push(Some(letter));
        (self.all.len() - 1) as u32
    }

    pub(super) fn take(&mut self, place: u32) -> Option<Letter> {
        self.free.push(place);
        self.all[place as usize].take()
    }
}

/// Bytes of a word as agents write it, without the frame around it.
pub(super) fn size(word: &Word) -> u64 {
    let size = match word {
        Word::Strategy(message) => postcard::experimental::serialized_size(message),
        other => postcard::experimental::serialized_size(other),
    };
    size.map_or(0, |size| size as u64)
}
